using System.Net;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests;

/// <summary>deploy/kubernetes/kserve: runtime and service fit each other, and the program that they start.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class KServeTests(ServiceFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task InferenceService_Asks_ForWhatTheRuntimeOffers()
    {
        var (runtime, asked) = await ObjectsAsync();
        var model = asked.At("spec/predictor/model");
        Assert.Equal(runtime.Text("metadata/name"), model.Text("runtime"));
        Assert.Equal(runtime.Text("spec/supportedModelFormats/0/name"), model.Text("modelFormat/name"));
        Assert.Equal(runtime.Text("spec/supportedModelFormats/0/version"), model.Text("modelFormat/version"));
        Assert.Equal("v2", model.Text("protocolVersion"));
        Assert.Contains("v2", runtime.At("spec/protocolVersions").EnumerateArray().Select(item => item.GetString()));
        Assert.Equal("fpn-service:cpu", runtime.Text("spec/containers/0/image"));
    }

    [Fact]
    public async Task Container_IsHardenedHasRoomAndDrainsInTime()
    {
        var (runtime, asked) = await ObjectsAsync();

        // KServe runs the container of this name, and adds others.
        var container = runtime.At("spec/containers/0");
        Assert.Equal("kserve-container", container.Text("name"));
        container.AssertHardened();
        Assert.True(container.At("securityContext/runAsNonRoot").GetBoolean());
        Assert.Equal("RuntimeDefault", container.Text("securityContext/seccompProfile/type"));
        var settings = Path.Combine(Checkout.Root, "docs", "settings.md");
        container.AssertHasRoom(await File.ReadAllTextAsync(settings, Cancel));
        container.AssertDrainsWithin(asked.At("spec/predictor/terminationGracePeriodSeconds").GetDouble());
        Assert.False(asked.At("spec/predictor/automountServiceAccountToken").GetBoolean());
    }

    [Fact]
    public async Task Paths_OfProbes_AreAnsweredByTheService()
    {
        var (runtime, _) = await ObjectsAsync();
        var container = runtime.At("spec/containers/0");
        foreach (var probe in container.Probes())
        {
            Assert.Equal(container.At("ports/0/containerPort").GetInt32(), probe.At("port").GetInt32());
            using var answer = await fixture.Service.Client.GetAsync(probe.Text("path").TrimStart('/'), Cancel);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{probe}: {answer.StatusCode}");
        }
    }

    /// <summary>
    /// As KServe does it: the name is filled in, and the package is at /mnt/models; here it has another name.
    /// </summary>
    [Fact]
    public async Task CommandLine_OfTheRuntime_ServesTheModelOfTheInferenceService()
    {
        var (runtime, asked) = await ObjectsAsync();
        var container = runtime.At("spec/containers/0");
        var name = asked.Text("metadata/name");
        var arguments = container.At("args").EnumerateArray()
            .Select(argument => argument.GetString()!.Replace("{{.Name}}", name, StringComparison.Ordinal)).ToArray();
        Assert.Contains($"--Fpn:Models:Name={name}", arguments);
        var variables = container.Variables();
        Assert.Equal("/mnt/models", variables["Fpn__Models__Path"]);
        variables["Fpn__Models__Path"] = Path.Combine(Checkout.Models, "blood-cells");

        // No load balancer has to learn of the end here.
        variables["Fpn__Shutdown__Delay"] = "0";
        using var process = new ServiceProcess(
            arguments, [("Fpn__Models__Default", null), .. variables.Select(item => (item.Key, (string?)item.Value))]);
        using var client = new HttpClient { BaseAddress = await process.WaitForAddressAsync() };
        using var ready = await client.GetAsync($"v2/models/{name}/ready", Cancel);
        Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
        process.SendTerminate();
        Assert.Equal(0, (await process.WaitForExitAsync()).Code);
    }

    private static async Task<(JsonElement Runtime, JsonElement Service)> ObjectsAsync()
    {
        var objects = await Manifests.OfAsync("kserve");
        return (objects.Single("ServingRuntime"), objects.Single("InferenceService"));
    }
}
