using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>The files for Prometheus, by its own checks.</summary>
public sealed class RulesTests
{
    [Theory]
    [InlineData("check", "rules", "alerts.yml")]
    [InlineData("test", "rules", "alerts_test.yml")]
    [InlineData("check", "config", "prometheus.yml")]
    public async Task File_Committed_PassesPromtool(string verb, string kind, string file)
    {
        PrometheusTools.Require();
        var (code, output) = await PrometheusTools.RunPromtoolAsync(string.Empty, verb, kind, Path.Combine(Repository.Root, "deploy", "prometheus", file));
        Assert.True(code == 0 && output.Contains("SUCCESS", StringComparison.Ordinal), output);
    }
}
