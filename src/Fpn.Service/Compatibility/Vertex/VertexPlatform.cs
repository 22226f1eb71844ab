using System.Globalization;
using System.Text.RegularExpressions;
using Fpn.Settings;

namespace Fpn.Service.Compatibility.Vertex;

/// <summary>What Vertex AI says by its variables when it starts the service.</summary>
/// <param name="IsAskedFor">Whether Vertex AI, or its SDK on a developer's machine, starts it.</param>
/// <param name="HealthRoute">Path of the probe.</param>
/// <param name="PredictRoute">Path of predictions.</param>
/// <param name="Port">Port to listen at; null where none is given.</param>
/// <param name="ModelFolder">Folder of the model's artifacts; null where none is given.</param>
internal sealed partial record VertexPlatform(
    bool IsAskedFor, string HealthRoute, string PredictRoute, int? Port, string? ModelFolder)
{
    private const string StorageUri = "AIP_STORAGE_URI";
    private const string PortVariable = "AIP_HTTP_PORT";

    /// <summary>Reads the variables; their values count only where they ask for the contract.</summary>
    /// <exception cref="SettingsException">One cannot be followed.</exception>
    public static VertexPlatform Read(IConfiguration configuration)
    {
        // The SDK's local endpoint names routes, and no mode.
        var isAskedFor = configuration["AIP_MODE"] == "PREDICTION"
            || configuration["AIP_PREDICT_ROUTE"] is { Length: > 0 };
        return isAskedFor
            ? new VertexPlatform(
                true,
                RouteIn(configuration, "AIP_HEALTH_ROUTE", "/health"),
                RouteIn(configuration, "AIP_PREDICT_ROUTE", "/predict"),
                PortIn(configuration[PortVariable]),
                FolderIn(configuration[StorageUri]))
            : new VertexPlatform(false, "/health", "/predict", null, null);
    }

    /// <summary>The settings that follow from the variables.</summary>
    public IReadOnlyDictionary<string, string?> Settings
    {
        get
        {
            var settings = new Dictionary<string, string?>();
            if (Port is { } port)
            {
                settings["urls"] = string.Create(CultureInfo.InvariantCulture, $"http://+:{port}");
            }

            if (ModelFolder is not null)
            {
                settings["Fpn:Models:Path"] = ModelFolder;
            }

            return settings;
        }
    }

    private static string RouteIn(IConfiguration configuration, string variable, string whenAbsent) =>
        configuration[variable] is not { Length: > 0 } route ? whenAbsent
        : Route().IsMatch(route) ? route
        : throw new SettingsException($"Variable '{variable}' must be a path, such as {whenAbsent}; it is '{route}'.");

    private static int? PortIn(string? text) =>
        text is not { Length: > 0 } ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535
            ? port
        : throw new SettingsException($"Variable '{PortVariable}' must be a port from 1 to 65535; it is '{text}'.");

    private static string? FolderIn(string? address) =>
        address is not { Length: > 0 } ? null
        : address.Contains("://", StringComparison.Ordinal)
            ? throw new SettingsException(
                $"Variable '{StorageUri}' is '{address}', and only a local folder is read. Build the model into the "
                + "image, and upload it to Vertex AI without --artifact-uri (docs/clients.md).")
        : address;

    [GeneratedRegex(@"^/(?:[A-Za-z0-9._~!$&'()+,;=:@-]+(?:/|$))*$")]
    private static partial Regex Route();
}
