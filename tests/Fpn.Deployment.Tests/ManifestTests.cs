using System.Text.RegularExpressions;

namespace Fpn.Deployment.Tests;

/// <summary>deploy/kubernetes is built by kustomize, and every object fits its published schema.</summary>
public sealed class ManifestTests
{
    private const string Hpa = "components/autoscaling-hpa/horizontal-pod-autoscaler.yaml";

    private const string Keda = "components/autoscaling-keda/scaled-object.yaml";

    private const string Monitor = "components/monitoring/service-monitor.yaml";

    private const string Rule = "components/monitoring/prometheus-rule.yaml";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Names => [.. Manifests.Overlays, .. Manifests.Others];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Manifests_Committed_FitTheirSchemas(string name) =>
        Assert.NotEmpty(await Manifests.OfAsync(name));

    [Fact]
    public void Overlays_Listed_AreAllThereAre()
    {
        var folders = Directory.GetDirectories(Path.Combine(Manifests.Folder, "overlays"));
        var names = folders.Select(folder => Path.GetFileName(folder)!);
        Assert.Equal(names.Order(StringComparer.Ordinal), Manifests.Overlays);
    }

    [Theory]
    [InlineData("monitoring")]
    [InlineData("api-keys")]
    [InlineData("monitoring", "api-keys", "autoscaling-hpa")]
    [InlineData("monitoring", "api-keys", "autoscaling-keda")]
    public async Task Components_TogetherWithAnOverlay_FitTheirSchemas(params string[] components)
    {
        var (objects, errors) = await Manifests.ComposeAsync(components);
        Assert.Equal(string.Empty, errors);
        Assert.Equal(components.Contains("monitoring"), objects.Has("ServiceMonitor"));
    }

    /// <summary>A check that passes whatever it is given would prove nothing.</summary>
    [Theory]
    [InlineData("base/deployment.yaml", "containerPort: 8080", "containerPort: http", "containerPort must be integer")]
    [InlineData("base/deployment.yaml", "type: RuntimeDefault", "type: None", "equal to one of the allowed values")]
    [InlineData("base/deployment.yaml", "  selector:", "  selectors:", "must have required property selector")]
    [InlineData("base/deployment.yaml", "failureThreshold: 60", "failures: 60", "'\"failures\"' does not exist")]
    [InlineData("base/pod-disruption-budget.yaml", "policy/v1", "policy/v3", "no schema for policy/v3")]
    [InlineData("base/network-policy.yaml", "[Ingress, Egress]", "Ingress", "policyTypes must be array")]
    [InlineData(Hpa, "averageUtilization: 70", "averageUtilization: 70%", "averageUtilization must be integer")]
    [InlineData(Keda, "threshold: \"4\"", "threshold: 4", "threshold must be string")]
    [InlineData(Keda, "pollingInterval", "interval", "'\"interval\"' does not exist")]
    [InlineData(Monitor, "scrapeTimeout", "timeout", "'\"timeout\"' does not exist")]
    [InlineData(Rule, "severity: critical", "severity: 1", "severity must be string")]
    [InlineData("kserve/serving-runtime.yaml", "[v2]", "[v3]", "'\"v3\"' is not assignable")]
    [InlineData("kserve/inference-service.yaml", "storageUri", "uri", "'\"uri\"' does not exist")]
    public async Task Manifest_Broken_IsRefused(string file, string right, string wrong, string message)
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Manifests.Folder, file), Cancel);
        Assert.Contains(right, text, StringComparison.Ordinal);
        var folder = Directory.CreateTempSubdirectory("fpn-manifest-");
        try
        {
            var broken = Path.Combine(folder.FullName, Path.GetFileName(file));
            await File.WriteAllTextAsync(broken, new Regex(Regex.Escape(right)).Replace(text, wrong, 1), Cancel);
            var (objects, errors) = await Manifests.CheckAsync(broken);
            Assert.Empty(objects);
            Assert.Contains(message, errors, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
