using Fpn.Settings;
using Fpn.Tool.Commands;

namespace Fpn.Service.Connections;

/// <summary>
/// Listens for a moment at the service's addresses, so that an address that cannot be used is reported before models
/// are loaded, which may take minutes.
/// </summary>
internal static class AddressTrial
{
    private const string Endpoints = "Kestrel:Endpoints";

    private static readonly string[] Settings = ["urls", "http_ports", "https_ports"];

    /// <summary>Tries the addresses in the settings; the framework's default address is not tried.</summary>
    /// <exception cref="SettingsException">An address is not valid, or cannot be listened on.</exception>
    public static async Task RunAsync(IConfiguration configuration)
    {
        var named = Settings.Where(setting => !string.IsNullOrWhiteSpace(configuration[setting]))
            .Select(setting => $"'{setting}' = '{configuration[setting]}'")
            .Concat(configuration.GetSection(Endpoints).GetChildren()
                .Select(endpoint => $"'{endpoint.Path}:Url' = '{endpoint["Url"]}'"))
            .ToArray();
        if (named.Length == 0)
        {
            return;
        }

        try
        {
            // The real server without endpoints: only it knows all that may be wrong, certificates included.
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.Configuration.AddConfiguration(configuration);
            builder.WebHost.UseKestrel(kestrel => kestrel.Configure(configuration.GetSection("Kestrel")));
            await using var trial = builder.Build();
            await trial.StartAsync();
            await trial.StopAsync();
        }
#pragma warning disable CA1031 // Whatever it is, the server cannot start with these addresses.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            throw new SettingsException(
                $"cannot listen where the settings say ({string.Join(", ", named)}): "
                + StartFailure.Describe(exception),
                exception);
        }
    }
}
