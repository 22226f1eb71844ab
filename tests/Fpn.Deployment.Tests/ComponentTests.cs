using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>The components that an overlay may take in: API keys, and what Prometheus and Grafana read.</summary>
public sealed partial class ComponentTests
{
    private const string Example = "components/api-keys/secrets.example.yaml";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ApiKeys_Deployment_MountsTheSecretOfTheExample()
    {
        var pod = (await WithKeysAsync()).Pod();
        var secret = (await Manifests.OfAsync(Example))[0];
        Assert.Equal(secret.Text("metadata/name"), pod.Text("volumes/0/secret/secretName"));
        var container = pod.At("containers/0");
        Assert.Equal(pod.Text("volumes/0/name"), container.Text("volumeMounts/0/name"));
        Assert.Equal(container.Text("volumeMounts/0/mountPath"), container.Variables()["Fpn__Keys__File"]);

        // The files are root's, and readable for the pod's group only: r--r-----.
        Assert.Equal(0b100_100_000, pod.At("volumes/0/secret/defaultMode").GetInt32());
        Assert.Equal(pod.At("securityContext/runAsGroup").GetInt32(), pod.At("securityContext/fsGroup").GetInt32());
    }

    [Fact]
    public async Task ApiKeys_Prometheus_SendsTheKeyOfTheExample()
    {
        var monitor = (await WithKeysAsync()).Single("ServiceMonitor");
        var secret = (await Manifests.OfAsync(Example))[1];
        Assert.Equal("Bearer", monitor.Text("spec/endpoints/0/authorization/type"));
        var credentials = monitor.At("spec/endpoints/0/authorization/credentials");
        Assert.Equal(secret.Text("metadata/name"), credentials.Text("name"));
        Assert.True(secret.At("stringData").TryGetProperty(credentials.Text("key"), out _));
    }

    /// <summary>Keys come from outside: nothing that is applied holds any.</summary>
    [Fact]
    public async Task ApiKeys_Secrets_AreInNothingThatIsApplied()
    {
        Assert.False((await WithKeysAsync()).Has("Secret"));
        foreach (var overlay in Manifests.Overlays)
        {
            Assert.False((await Manifests.OfAsync(overlay)).Has("Secret"), overlay);
        }
    }

    /// <summary>Who applies it as it is gets a pod that does not start, and not a service that is open.</summary>
    [Fact]
    public async Task ApiKeys_ExampleLeftAsItIs_StopsTheStart()
    {
        var file = Assert.Single((await Manifests.OfAsync(Example))[0].At("stringData").EnumerateObject());
        var folder = Directory.CreateTempSubdirectory("fpn-secret-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, file.Name), file.Value.GetString(), Cancel);
            using var process = new ServiceProcess(
                [$"--Fpn:Models:Path={Checkout.BloodCells}", $"--Fpn:Keys:File={folder.FullName}"]);
            var (code, errors) = await process.WaitForExitAsync();
            Assert.Equal(1, code);
            Assert.Contains("sha256", Assert.Single(errors), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>kustomize cannot make the one of the other, so that there are two.</summary>
    [Fact]
    public void PrometheusRule_Groups_AreThoseOfTheAlerts()
    {
        const string Start = "\nspec:\n";
        var rule = File.ReadAllText(Path.Combine(Manifests.Folder, "components/monitoring/prometheus-rule.yaml"));
        var body = rule[(rule.IndexOf(Start, StringComparison.Ordinal) + Start.Length)..];
        var groups = Indent().Replace(body, string.Empty);
        Assert.StartsWith("groups:\n", groups, StringComparison.Ordinal);
        Assert.Equal(Dashboard.Alerts[Dashboard.Alerts.IndexOf("groups:\n", StringComparison.Ordinal)..], groups);
    }

    [Fact]
    public async Task Dashboard_OfTheConfigMap_IsTheCommittedOne()
    {
        var map = (await Manifests.OfAsync("cpu-keda")).Single("ConfigMap");
        var committed = Path.Combine(Checkout.Root, "deploy", "grafana", "fpn-service.json");
        var file = Assert.Single(map.At("data").EnumerateObject());
        Assert.Equal(await File.ReadAllTextAsync(committed, Cancel), file.Value.GetString());
    }

    private static async Task<JsonElement[]> WithKeysAsync()
    {
        var (objects, errors) = await Manifests.ComposeAsync("monitoring", "api-keys");
        Assert.Equal(string.Empty, errors);
        return objects;
    }

    [GeneratedRegex("^  ", RegexOptions.Multiline)]
    private static partial Regex Indent();
}
