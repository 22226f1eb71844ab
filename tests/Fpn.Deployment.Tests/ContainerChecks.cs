using System.Globalization;
using System.Text.Json;

namespace Fpn.Deployment.Tests;

/// <summary>What holds for the service's container, whether a Deployment or KServe runs it.</summary>
internal static class ContainerChecks
{
    /// <summary>Seconds to leave between the last promise of the service and SIGKILL.</summary>
    private const double Spare = 5;

    /// <summary>Its variables.</summary>
    public static Dictionary<string, string> Variables(this JsonElement container) =>
        container.At("env").EnumerateArray().ToDictionary(item => item.Text("name"), item => item.Text("value"));

    /// <summary>Path and port of each of its three probes.</summary>
    public static IEnumerable<JsonElement> Probes(this JsonElement container) =>
    [
        container.At("startupProbe/httpGet"),
        container.At("readinessProbe/httpGet"),
        container.At("livenessProbe/httpGet"),
    ];

    /// <summary>
    /// preStop runs before SIGTERM and counts; Delay is part of Timeout, and is counted again to be on the safe side.
    /// </summary>
    /// <param name="container">The container.</param>
    /// <param name="gracePeriod">Its pod's terminationGracePeriodSeconds.</param>
    public static void AssertDrainsWithin(this JsonElement container, double gracePeriod)
    {
        var variables = container.Variables();
        var drain = container.At("lifecycle/preStop/sleep/seconds").GetDouble()
            + Seconds(variables["Fpn__Shutdown__Delay"]) + Seconds(variables["Fpn__Shutdown__Timeout"]);
        Assert.InRange(gracePeriod, drain + Spare, drain + 60);
    }

    /// <summary>What Kubernetes' standard <c>restricted</c> asks of a container, and a read-only root.</summary>
    public static void AssertHardened(this JsonElement container)
    {
        var context = container.At("securityContext");
        Assert.False(context.At("allowPrivilegeEscalation").GetBoolean());
        Assert.True(context.At("readOnlyRootFilesystem").GetBoolean());
        Assert.Equal("ALL", Assert.Single(context.At("capabilities/drop").EnumerateArray()).GetString());
    }

    /// <summary>
    /// Cores are whole and the service's own, and memory holds what the settings let requests take and 512 MiB.
    /// </summary>
    /// <param name="container">The container.</param>
    /// <param name="settings">docs/settings.md, which has the defaults.</param>
    public static void AssertHasRoom(this JsonElement container, string settings)
    {
        var limits = container.At("resources/limits");
        Assert.True(JsonElement.DeepEquals(limits, container.At("resources/requests")));
        Assert.InRange(int.Parse(limits.Text("cpu"), CultureInfo.InvariantCulture), 2, int.MaxValue);
        Assert.EndsWith("Gi", limits.Text("memory"), StringComparison.Ordinal);
        var memory = long.Parse(limits.Text("memory")[..^2], CultureInfo.InvariantCulture) << 30;
        Assert.InRange(memory, Bytes("MaxBodyBytes") + Bytes("MaxDecodedBytes") + (512L << 20), long.MaxValue);

        long Bytes(string name)
        {
            if (!container.Variables().TryGetValue($"Fpn__Limits__{name}", out var value))
            {
                var row = $"| `Limits:{name}` | ";
                var at = settings.IndexOf(row, StringComparison.Ordinal);
                Assert.NotEqual(-1, at);
                value = settings[(at + row.Length)..].Split(' ', 2)[0];
            }

            return long.Parse(value, CultureInfo.InvariantCulture);
        }
    }

    private static double Seconds(string duration)
    {
        Assert.EndsWith("s", duration, StringComparison.Ordinal);
        return double.Parse(duration[..^1], CultureInfo.InvariantCulture);
    }
}
