using System.Text.Json;

namespace Fpn.Deployment.Tests;

/// <summary>What an image says about how it is run.</summary>
/// <param name="User">Numbers, as <c>user:group</c>.</param>
/// <param name="Environment">Variables, as <c>NAME=value</c>.</param>
/// <param name="Entrypoint">The program.</param>
/// <param name="Command">Its default arguments.</param>
/// <param name="WorkingDir">Where it starts.</param>
/// <param name="StopSignal">What asks it to end.</param>
/// <param name="ExposedPorts">As <c>8080/tcp</c>.</param>
/// <param name="HealthCheck">As in the Dockerfile: <c>CMD</c> and the command.</param>
/// <param name="Labels">OCI annotations.</param>
internal sealed record ImageConfiguration(
    string User,
    string[] Environment,
    string[] Entrypoint,
    string[] Command,
    string WorkingDir,
    string StopSignal,
    string[] ExposedPorts,
    string[] HealthCheck,
    Dictionary<string, string> Labels)
{
    /// <summary>Reads what <c>buildah inspect --type image</c> prints.</summary>
    public static ImageConfiguration Parse(string inspection)
    {
        using var document = JsonDocument.Parse(inspection);
        var config = document.RootElement.GetProperty("Docker").GetProperty("config");
        return new ImageConfiguration(
            config.GetProperty(nameof(User)).GetString()!,
            Texts(config, "Env"),
            Texts(config, "Entrypoint"),
            Texts(config, "Cmd"),
            config.GetProperty(nameof(WorkingDir)).GetString()!,
            config.GetProperty(nameof(StopSignal)).GetString()!,
            [.. config.GetProperty(nameof(ExposedPorts)).EnumerateObject().Select(port => port.Name)],
            Texts(config.GetProperty("Healthcheck"), "Test"),
            config.GetProperty(nameof(Labels)).Deserialize<Dictionary<string, string>>()!);
    }

    private static string[] Texts(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? [.. list.EnumerateArray().Select(item => item.GetString()!)]
            : [];
}
