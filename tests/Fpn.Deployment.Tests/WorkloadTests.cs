using System.Net;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>What the overlays say of their own objects, of the service and of its images is so.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class WorkloadTests(ServiceFixture fixture)
{
    private static readonly string Settings = Read("docs", "settings.md");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Overlays => [.. Manifests.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task GracePeriod_Pods_CoversThePreStopHookAndTheDrain(string overlay)
    {
        var pod = (await Manifests.OfAsync(overlay)).Pod();
        pod.At("containers/0").AssertDrainsWithin(pod.At("terminationGracePeriodSeconds").GetDouble());
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Selectors_OfAllObjects_MeetThePods(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var deployment = objects.Single("Deployment");
        var pods = deployment.At("spec/template/metadata/labels");
        AssertSelects(deployment.At("spec/selector/matchLabels"), pods);
        AssertSelects(objects.Single("Service").At("spec/selector"), pods);
        AssertSelects(objects.Single("PodDisruptionBudget").At("spec/selector/matchLabels"), pods);
        AssertSelects(objects.Single("NetworkPolicy").At("spec/podSelector/matchLabels"), pods);
        Assert.All(
            objects.Pod().At("topologySpreadConstraints").EnumerateArray(),
            constraint => AssertSelects(constraint.At("labelSelector/matchLabels"), pods));
        if (objects.Has("ServiceMonitor"))
        {
            AssertSelects(
                objects.Single("ServiceMonitor").At("spec/selector/matchLabels"),
                objects.Single("Service").At("metadata/labels"));
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Namespace_OfAllObjects_IsTheOneThatIsMade(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var name = objects.Single("Namespace").Text("metadata/name");
        Assert.All(
            objects.Where(item => item.Text("kind") != "Namespace"),
            item => Assert.Equal(name, item.Text("metadata/namespace")));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Ports_ByName_LeadToThePortOfTheImage(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var container = objects.Pod().At("containers/0");
        var port = container.Text("ports/0/name");
        Assert.Equal(port, objects.Single("Service").Text("spec/ports/0/targetPort"));
        Assert.Equal(port, objects.Single("NetworkPolicy").Text("spec/ingress/0/ports/0/port"));
        Assert.All(container.Probes(), probe => Assert.Equal(port, probe.Text("port")));
        if (objects.Has("ServiceMonitor"))
        {
            Assert.Equal(
                objects.Single("Service").Text("spec/ports/0/name"),
                objects.Single("ServiceMonitor").Text("spec/endpoints/0/port"));
        }

        var number = container.At("ports/0/containerPort").GetInt32();
        Assert.Contains($"EXPOSE {number}\n", Dockerfile(overlay), StringComparison.Ordinal);
        Assert.Contains($"ASPNETCORE_URLS=http://+:{number} ", Dockerfile(overlay), StringComparison.Ordinal);

        // gRPC's, beside it.
        Assert.Equal(container.Text("ports/1/name"), objects.Single("Service").Text("spec/ports/1/targetPort"));
        Assert.Equal(
            container.Text("ports/1/name"), objects.Single("NetworkPolicy").Text("spec/ingress/0/ports/1/port"));
        var grpc = container.At("ports/1/containerPort").GetInt32();
        Assert.Contains($"EXPOSE {grpc}\n", Dockerfile(overlay), StringComparison.Ordinal);
        Assert.Contains($"Fpn__Grpc__Port={grpc} ", Dockerfile(overlay), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Image_AndItsUser_AreThoseThatAreBuilt(string overlay)
    {
        var pod = (await Manifests.OfAsync(overlay)).Pod();
        var image = $"fpn-service:{overlay.Split('-')[0]}";
        Assert.Equal(image, pod.Text("containers/0/image"));
        Assert.Contains($"image: {image}\n", Read("docker-compose.yml"), StringComparison.Ordinal);
        var user = $"{pod.At("securityContext/runAsUser")}:{pod.At("securityContext/runAsGroup")}";
        Assert.Contains($"USER {user}\n", Dockerfile(overlay), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task SecurityContext_Pods_IsWhatTheNamespaceEnforces(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var labels = objects.Single("Namespace").At("metadata/labels");
        Assert.Equal("restricted", labels.GetProperty("pod-security.kubernetes.io/enforce").GetString());
        var pod = objects.Pod();
        Assert.False(pod.At("automountServiceAccountToken").GetBoolean());
        Assert.True(pod.At("securityContext/runAsNonRoot").GetBoolean());
        Assert.Equal("RuntimeDefault", pod.Text("securityContext/seccompProfile/type"));
        Assert.Single(pod.At("containers").EnumerateArray()).AssertHardened();
    }

    [Fact]
    public async Task Paths_OfProbesAndMetrics_AreAnsweredByTheService()
    {
        var monitor = (await Manifests.OfAsync("cpu-keda")).Single("ServiceMonitor");
        var paths = new HashSet<string> { monitor.Text("spec/endpoints/0/path") };
        foreach (var overlay in Manifests.Overlays)
        {
            var container = (await Manifests.OfAsync(overlay)).Pod().At("containers/0");
            paths.UnionWith(container.Probes().Select(probe => probe.Text("path")));
        }

        foreach (var path in paths)
        {
            using var answer = await fixture.Service.Client.GetAsync(path.TrimStart('/'), Cancel);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode}");
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Resources_Pods_HaveRoomForWhatTheSettingsAllow(string overlay)
    {
        var container = (await Manifests.OfAsync(overlay)).Pod().At("containers/0");
        container.AssertHasRoom(Settings);
        Assert.Equal(
            overlay.StartsWith("gpu", StringComparison.Ordinal),
            container.At("resources/limits").TryGetProperty("nvidia.com/gpu", out _));
    }

    [Fact]
    public async Task Variables_OfEveryContainer_AreDocumentedSettings()
    {
        var (composed, errors) = await Manifests.ComposeAsync("monitoring", "api-keys");
        Assert.Equal(string.Empty, errors);
        var containers = new[]
        {
            composed.Pod().At("containers/0"),
            (await Manifests.OfAsync("gpu")).Pod().At("containers/0"),
            (await Manifests.OfAsync("kserve")).Single("ServingRuntime").At("spec/containers/0"),
        };
        var names = containers.SelectMany(container => container.Variables().Keys).Distinct().ToArray();
        Assert.InRange(names.Length, 5, int.MaxValue);
        Assert.All(names, name =>
        {
            Assert.StartsWith("Fpn__", name, StringComparison.Ordinal);
            var setting = name["Fpn__".Length..].Replace("__", ":", StringComparison.Ordinal);
            Assert.Contains($"| `{setting}` |", Settings, StringComparison.Ordinal);
        });
    }

    private static void AssertSelects(JsonElement selector, JsonElement labels)
    {
        var wanted = selector.EnumerateObject().ToArray();
        Assert.NotEmpty(wanted);
        Assert.All(
            wanted, label => Assert.Equal(label.Value.GetString(), labels.GetProperty(label.Name).GetString()));
    }

    private static string Dockerfile(string overlay) =>
        Read("docker", overlay.StartsWith("gpu", StringComparison.Ordinal) ? "Dockerfile.gpu" : "Dockerfile");

    private static string Read(params string[] path) => File.ReadAllText(Path.Combine([Checkout.Root, .. path]));
}
