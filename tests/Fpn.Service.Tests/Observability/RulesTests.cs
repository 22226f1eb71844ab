using Fpn.Testing.Metrics;

namespace Fpn.Service.Tests.Observability;

/// <summary>The files for Prometheus, by its own checks.</summary>
[Trait("Speed", "slow")]
public sealed class RulesTests
{
    [Theory]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts_test.yml")]
    [InlineData("check", "config", "prometheus.yml")]
    public async Task File_Committed_PassesPromtool(string verb, string kind, string file)
    {
        PrometheusTools.Require();
        var path = Path.Combine(Dashboard.PrometheusFolder, file);
        var (code, output) = await PrometheusTools.RunPromtoolAsync(string.Empty, verb, kind, path);
        Assert.True(code == 0 && output.Contains("SUCCESS", StringComparison.Ordinal), output);
    }
}
