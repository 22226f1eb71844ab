using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Repository;

/// <summary>Services that can be told to load and unload models.</summary>
internal static class OperatedService
{
    /// <summary>Starts one; its client has the key of an operator.</summary>
    /// <param name="settings">Settings that differ from the defaults.</param>
    public static RunningService Start(params ReadOnlySpan<(string Name, string Value)> settings)
    {
        var service = new RunningService(
        [
            ("Fpn:Control:Enabled", "true"),
            ("Fpn:Keys:Json", $"[{KeyFile.Entry("operator", KeyFile.Alice, "\"scopes\": [\"detect\", \"admin\"]")}]"),
            .. settings,
        ]);
        service.Client.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Alice);
        return service;
    }
}
