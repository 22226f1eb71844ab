using System.Text.RegularExpressions;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>docker-compose.yml and what it mounts, held together as far as that goes without an engine.</summary>
public sealed partial class ComposeTests
{
    private const string Program = "/usr/bin/docker-compose";

    private static readonly string Text = File.ReadAllText(Path.Combine(Checkout.Root, "docker-compose.yml"));
    private static readonly string[] Settings =
        [.. File.ReadAllLines(Path.Combine(Checkout.Root, ".env")).Where(line => line.Contains(
            '=', StringComparison.Ordinal)).Select(line => line[..line.IndexOf('=', StringComparison.Ordinal)])];

    [Theory]
    [InlineData("cpu")]
    [InlineData("gpu")]
    public async Task File_OfEachProfile_IsAcceptedByCompose(string profile)
    {
        Assert.SkipWhen(!File.Exists(Program), "docker-compose is absent: nothing reads the file.");
        var (code, output, errors) = await ProgramRun.RunAsync(Checkout.Root, Program, "--profile", profile, "config");
        Assert.True(code == 0, errors);

        // .env was read, and nothing is left open.
        Assert.DoesNotContain("variable is not set", errors, StringComparison.Ordinal);
        Assert.Contains("Fpn__Proxies__Trusted: 172.30.87.10", output, StringComparison.Ordinal);
    }

    [Fact]
    public void Variables_AndEnvFile_AreTheSame()
    {
        var used = Variable().Matches(Text).Select(match => match.Groups[1].Value).ToHashSet();
        Assert.NotEmpty(used);
        Assert.Equal(
            used.Append("COMPOSE_PROFILES").Order(StringComparer.Ordinal), Settings.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void MountedFiles_AreInTheRepository()
    {
        var mounted = Mount().Matches(Text).Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(6, mounted.Count);
        Assert.All(mounted, path => Assert.True(Path.Exists(Path.Combine(Checkout.Root, path)), path));
    }

    /// <summary>In the container the rules lie beside the configuration.</summary>
    [Fact]
    public async Task PrometheusConfiguration_WithTheRules_PassesPromtool()
    {
        PrometheusTools.Require();
        var folder = Directory.CreateTempSubdirectory("fpn-prometheus-").FullName;
        try
        {
            File.Copy(Path.Combine(Checkout.Root, "docker", "prometheus.yml"), Path.Combine(folder, "prometheus.yml"));
            File.Copy(Path.Combine(Checkout.Root, "deploy", "prometheus", "alerts.yml"), Path.Combine(
                folder, "alerts.yml"));
            var (code, output) = await PrometheusTools.RunPromtoolAsync(
                string.Empty, "check", "config", Path.Combine(folder, "prometheus.yml"));
            Assert.True(code == 0, output);
            Assert.Contains("1 rule files found", output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex(@"\$\{(\w+)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\./([\w./-]+):/")]
    private static partial Regex Mount();
}
