using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Service.Tests.Observability;
using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Deployment;

/// <summary>What the manifests say of each other, of the service and of its images is so.</summary>
[Collection(ServiceFixture.Collection)]
public sealed partial class WorkloadTests(ServiceFixture fixture)
{
    /// <summary>Seconds that Kubernetes has to leave between the last promise of the service and SIGKILL.</summary>
    private const double Spare = 5;

    private static readonly string Settings = Read("docs", "settings.md");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Overlays => [.. Manifests.Overlays];

    /// <summary>preStop runs before SIGTERM and counts; Delay is part of Timeout, and is counted again to be on the safe side.</summary>
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task GracePeriod_Pods_CoversThePreStopHookAndTheDrain(string overlay)
    {
        var pod = (await Manifests.OfAsync(overlay)).Single("Deployment").At("spec/template/spec");
        AssertCovered(pod.At("terminationGracePeriodSeconds").GetDouble(), pod.At("containers/0"));
    }

    [Fact]
    public async Task GracePeriod_KServe_CoversThePreStopHookAndTheDrain()
    {
        var objects = await Manifests.OfAsync("kserve");
        AssertCovered(
            objects.Single("InferenceService").At("spec/predictor/terminationGracePeriodSeconds").GetDouble(),
            objects.Single("ServingRuntime").At("spec/containers/0"));
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
            deployment.At("spec/template/spec/topologySpreadConstraints").EnumerateArray(),
            constraint => AssertSelects(constraint.At("labelSelector/matchLabels"), pods));
        if (objects.Has("ServiceMonitor"))
        {
            AssertSelects(objects.Single("ServiceMonitor").At("spec/selector/matchLabels"), objects.Single("Service").At("metadata/labels"));
        }

        Assert.All(
            objects.Where(item => item.Text("kind") != "Namespace"),
            item => Assert.Equal(objects.Single("Namespace").Text("metadata/name"), item.Text("metadata/namespace")));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Ports_ByName_LeadToThePortOfTheImage(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        var container = objects.Single("Deployment").At("spec/template/spec/containers/0");
        var port = container.Text("ports/0/name");
        Assert.Equal(port, objects.Single("Service").Text("spec/ports/0/targetPort"));
        Assert.Equal(port, objects.Single("NetworkPolicy").Text("spec/ingress/0/ports/0/port"));
        Assert.All(Probes(container), probe => Assert.Equal(port, probe.Text("port")));
        if (objects.Has("ServiceMonitor"))
        {
            Assert.Equal(objects.Single("Service").Text("spec/ports/0/name"), objects.Single("ServiceMonitor").Text("spec/endpoints/0/port"));
        }

        var image = Read("docker", overlay.StartsWith("gpu", StringComparison.Ordinal) ? "Dockerfile.gpu" : "Dockerfile");
        var number = container.At("ports/0/containerPort").GetInt32();
        Assert.Contains($"EXPOSE {number}\n", image, StringComparison.Ordinal);
        Assert.Contains($"ASPNETCORE_URLS=http://+:{number} ", image, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Image_AndItsUser_AreThoseThatAreBuilt(string overlay)
    {
        var pod = (await Manifests.OfAsync(overlay)).Single("Deployment").At("spec/template/spec");
        var kind = overlay.Split('-')[0];
        Assert.Equal($"fpn-service:{kind}", pod.Text("containers/0/image"));
        Assert.Contains($"image: fpn-service:{kind}\n", Read("docker-compose.yml"), StringComparison.Ordinal);
        Assert.Contains(
            $"USER {pod.At("securityContext/runAsUser")}:{pod.At("securityContext/runAsGroup")}\n",
            Read("docker", kind == "gpu" ? "Dockerfile.gpu" : "Dockerfile"),
            StringComparison.Ordinal);
    }

    /// <summary>What Kubernetes' standard <c>restricted</c> asks for, which the namespace enforces, and more.</summary>
    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task SecurityContext_Pods_IsRestricted(string overlay)
    {
        var objects = await Manifests.OfAsync(overlay);
        Assert.Equal("restricted", objects.Single("Namespace").At("metadata/labels").GetProperty("pod-security.kubernetes.io/enforce").GetString());
        var pod = objects.Single("Deployment").At("spec/template/spec");
        Assert.False(pod.At("automountServiceAccountToken").GetBoolean());
        Assert.True(pod.At("securityContext/runAsNonRoot").GetBoolean());
        Assert.Equal("RuntimeDefault", pod.Text("securityContext/seccompProfile/type"));
        Assert.Equal(1, pod.At("containers").GetArrayLength());
        AssertHardened(pod.At("containers/0/securityContext"));
    }

    [Fact]
    public async Task SecurityContext_KServe_IsRestricted()
    {
        var context = (await Manifests.OfAsync("kserve")).Single("ServingRuntime").At("spec/containers/0/securityContext");
        Assert.True(context.At("runAsNonRoot").GetBoolean());
        Assert.Equal("RuntimeDefault", context.Text("seccompProfile/type"));
        AssertHardened(context);
    }

    [Fact]
    public async Task Probes_Paths_AreAnsweredByTheService()
    {
        var paths = new List<string> { (await Manifests.OfAsync("cpu-keda")).Single("ServiceMonitor").Text("spec/endpoints/0/path") };
        foreach (var overlay in Manifests.Overlays)
        {
            paths.AddRange(Probes((await Manifests.OfAsync(overlay)).Single("Deployment").At("spec/template/spec/containers/0")).Select(probe => probe.Text("path")));
        }

        paths.AddRange(Probes((await Manifests.OfAsync("kserve")).Single("ServingRuntime").At("spec/containers/0")).Select(probe => probe.Text("path")));
        foreach (var path in paths.Distinct())
        {
            using var answer = await fixture.Service.Client.GetAsync(path.TrimStart('/'), Cancel);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode}");
        }
    }

    [Theory]
    [InlineData("cpu", "2")]
    [InlineData("gpu", "4")]
    public async Task Resources_Pods_AreWholeCoresAndNobodyElses(string overlay, string cores)
    {
        var resources = (await Manifests.OfAsync(overlay)).Single("Deployment").At("spec/template/spec/containers/0/resources");
        Assert.Equal(cores, resources.Text("limits/cpu"));
        Assert.True(JsonElement.DeepEquals(resources.At("limits"), resources.At("requests")), $"{resources}");
        Assert.Equal(overlay == "gpu", resources.At("limits").TryGetProperty("nvidia.com/gpu", out _));
    }

    [Fact]
    public async Task Variables_OfEveryContainer_AreDocumentedSettings()
    {
        var (exitCode, composed, errors) = await Manifests.ComposeAsync("monitoring", "api-keys");
        Assert.True(exitCode == 0, errors);
        var containers = new List<JsonElement>
        {
            composed.Single("Deployment").At("spec/template/spec/containers/0"),
            (await Manifests.OfAsync("gpu")).Single("Deployment").At("spec/template/spec/containers/0"),
            (await Manifests.OfAsync("kserve")).Single("ServingRuntime").At("spec/containers/0"),
        };
        var names = containers.SelectMany(container => container.Variables().Keys).Distinct().ToArray();
        Assert.InRange(names.Length, 4, int.MaxValue);
        Assert.All(names, name =>
        {
            var parts = name.Split("__");
            Assert.Equal(["Fpn", .. parts[1..]], parts);
            AssertDocumented($"{parts[1]}:{parts[2]}");
        });
    }

    [Fact]
    public async Task ApiKeys_Component_MountsTheSecretOfTheExample()
    {
        var (exitCode, objects, errors) = await Manifests.ComposeAsync("monitoring", "api-keys");
        Assert.True(exitCode == 0, errors);
        var pod = objects.Single("Deployment").At("spec/template/spec");
        var example = await Manifests.OfAsync("components/api-keys/secrets.example.yaml");
        Assert.Equal(example[0].Text("metadata/name"), pod.Text("volumes/0/secret/secretName"));
        Assert.Equal(pod.Text("volumes/0/name"), pod.Text("containers/0/volumeMounts/0/name"));
        Assert.Equal(pod.Text("containers/0/volumeMounts/0/mountPath"), pod.At("containers/0").Variables()["Fpn__Keys__File"]);
        // The files are the root's, and for the group of the pod only.
        Assert.Equal(0b100_100_000, pod.At("volumes/0/secret/defaultMode").GetInt32());
        Assert.Equal(pod.At("securityContext/runAsGroup").GetInt32(), pod.At("securityContext/fsGroup").GetInt32());
        var credentials = objects.Single("ServiceMonitor").At("spec/endpoints/0/authorization/credentials");
        Assert.Equal(example[1].Text("metadata/name"), credentials.Text("name"));
        Assert.True(example[1].At("stringData").TryGetProperty(credentials.Text("key"), out _));
        Assert.False(objects.Has("Secret"));
    }

    /// <summary>Who applies the example as it is gets a pod that does not start, and not a service that is open.</summary>
    [Fact]
    public async Task ApiKeys_ExampleLeftAsItIs_StopsTheStart()
    {
        var example = await Manifests.OfAsync("components/api-keys/secrets.example.yaml");
        var folder = Directory.CreateTempSubdirectory("fpn-secret-");
        try
        {
            var (name, content) = example[0].At("stringData").EnumerateObject().Select(file => (file.Name, file.Value.GetString())).Single();
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, name), content, Cancel);
            using var process = new ServiceProcess([$"--Fpn:Models:Path={Repository.Models}", $"--Fpn:Keys:File={folder.FullName}"]);
            var (code, errors) = await process.WaitForExitAsync();
            Assert.Equal(1, code);
            Assert.Contains("sha256", Assert.Single(errors), StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task KServe_RuntimesCommandLine_ServesTheModelOfTheInferenceService()
    {
        var objects = await Manifests.OfAsync("kserve");
        var (runtime, asked) = (objects.Single("ServingRuntime"), objects.Single("InferenceService"));
        var model = asked.At("spec/predictor/model");
        Assert.Equal(runtime.Text("metadata/name"), model.Text("runtime"));
        Assert.True(JsonElement.DeepEquals(
            model.At("modelFormat"), JsonSerializer.SerializeToElement(new { name = runtime.Text("spec/supportedModelFormats/0/name"), version = runtime.Text("spec/supportedModelFormats/0/version") })));
        Assert.Contains(model.Text("protocolVersion"), runtime.At("spec/protocolVersions").EnumerateArray().Select(version => version.GetString()));

        // As KServe does: the name is filled in, and the folder of packages is mounted at /mnt/models.
        var container = runtime.At("spec/containers/0");
        var name = asked.Text("metadata/name");
        Assert.Equal("/mnt/models", container.Variables()["Fpn__Models__Path"]);
        using var process = new ServiceProcess(
            container.At("args").EnumerateArray().Select(argument => argument.GetString()!.Replace("{{.Name}}", name, StringComparison.Ordinal)),
            [.. container.Variables().Where(item => item.Key != "Fpn__Shutdown__Delay").Select(item => (item.Key, item.Value.Replace("/mnt/models", Repository.Models, StringComparison.Ordinal)))]);
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        using var ready = await client.GetAsync($"v2/models/{name}/ready", Cancel);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        process.SendTerminate();
        Assert.Equal(0, (await process.WaitForExitAsync()).Code);
    }

    /// <summary>kustomize cannot make the one of the other, so that there are two.</summary>
    [Fact]
    public void PrometheusRule_Groups_AreThoseOfTheAlerts()
    {
        var rule = Read("deploy", "kubernetes", "components", "monitoring", "prometheus-rule.yaml");
        var groups = rule[(rule.IndexOf("\nspec:\n", StringComparison.Ordinal) + "\nspec:\n".Length)..];
        Assert.StartsWith("  groups:\n", groups, StringComparison.Ordinal);
        Assert.Equal(Dashboard.Alerts[Dashboard.Alerts.IndexOf("groups:\n", StringComparison.Ordinal)..], Indent().Replace(groups, string.Empty));
    }

    [Fact]
    public async Task Dashboard_OfTheConfigMap_IsTheCommittedOne() => Assert.Equal(
        Read("deploy", "grafana", "fpn-service.json"), (await Manifests.OfAsync("cpu-keda")).Single("ConfigMap").At("data").EnumerateObject().Single().Value.GetString());

    private static void AssertCovered(double graceSeconds, JsonElement container)
    {
        var variables = container.Variables();
        var drain = container.At("lifecycle/preStop/sleep/seconds").GetDouble() + Seconds(variables["Fpn__Shutdown__Delay"]) + Seconds(variables["Fpn__Shutdown__Timeout"]);
        Assert.InRange(graceSeconds, drain + Spare, drain + 60);
    }

    private static void AssertHardened(JsonElement context)
    {
        Assert.False(context.At("allowPrivilegeEscalation").GetBoolean());
        Assert.True(context.At("readOnlyRootFilesystem").GetBoolean());
        Assert.Equal("ALL", Assert.Single(context.At("capabilities/drop").EnumerateArray()).GetString());
    }

    private static void AssertSelects(JsonElement selector, JsonElement labels)
    {
        var wanted = selector.EnumerateObject().ToArray();
        Assert.NotEmpty(wanted);
        Assert.All(wanted, label => Assert.Equal(label.Value.GetString(), labels.GetProperty(label.Name).GetString()));
    }

    /// <summary>The table of docs/settings.md writes neighbours together: `Batching:QueueCapacity` has a row of its own.</summary>
    private static void AssertDocumented(string setting) => Assert.Contains($"| `{setting}` |", Settings, StringComparison.Ordinal);

    private static IEnumerable<JsonElement> Probes(JsonElement container) =>
        [container.At("startupProbe/httpGet"), container.At("readinessProbe/httpGet"), container.At("livenessProbe/httpGet")];

    private static double Seconds(string duration)
    {
        Assert.EndsWith("s", duration, StringComparison.Ordinal);
        return double.Parse(duration[..^1], CultureInfo.InvariantCulture);
    }

    private static string Read(params string[] path) => File.ReadAllText(Path.Combine([Repository.Root, .. path]));

    [GeneratedRegex("^  ", RegexOptions.Multiline)]
    private static partial Regex Indent();
}
