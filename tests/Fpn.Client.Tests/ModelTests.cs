using System.Net;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests;

/// <summary>Models and health of the real service.</summary>
[Collection(GuardedProcess.Collection)]
public sealed class ModelTests(GuardedProcess service)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ListModels_DescribesWhatIsServed()
    {
        var model = Assert.Single(await service.CreateClient().ListModelsAsync(Cancel));
        Assert.Equal(("blood-cells", "1", true), (model.Name, model.Version, model.IsDefault));
        Assert.Equal(("two-stage", "torchvision"), (model.Layout, model.Convention));
        Assert.Equal(new ModelInput { MinSize = 384, MaxSize = 640 }, model.Input);
        Assert.Equal((0.05, 100), (model.ScoreThreshold, model.MaxDetections));
        Assert.Equal(
            [("RBC", 1), ("WBC", 2), ("Platelets", 3)],
            model.Classes.Select(known => (known.Label, known.ClassId)));
        Assert.Equal("cpu", model.Execution.Provider);
        Assert.Equal(1, model.Batching.MaxBatchSize);
        Assert.NotNull(model.Description);
    }

    [Fact]
    public async Task GetModel_ByName_IsTheOneOfTheList()
    {
        var client = service.CreateClient();
        var model = await client.GetModelAsync("blood-cells", Cancel);
        var listed = Assert.Single(await client.ListModelsAsync(Cancel));
        Assert.Equal((listed.Name, listed.Version, listed.Source), (model.Name, model.Version, model.Source));
        Assert.Equal(listed.Classes, model.Classes);
    }

    [Fact]
    public async Task GetModel_NotServed_IsAProblem()
    {
        var problem = await Assert.ThrowsAsync<FpnProblemException>(
            () => service.CreateClient().GetModelAsync("no such?model#", Cancel));
        Assert.Equal((HttpStatusCode.NotFound, "unknown-model"), (problem.Status, problem.Type));
        Assert.Contains("'no such?model#'", problem.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_OfAReadyService_IsHealthy()
    {
        var client = service.CreateClient();
        Assert.True(await client.IsLiveAsync(Cancel));
        Assert.True(await client.IsReadyAsync(Cancel));
        var report = await client.GetHealthAsync(Cancel);
        Assert.True(report.IsReady);
        Assert.NotEmpty(report.Checks);
        Assert.All(report.Checks.Values, check => Assert.Equal("Healthy", check.Status));
    }

    /// <summary>Told to end, the service is live, and no longer ready; it says why.</summary>
    [Fact]
    public async Task Health_OfAServiceThatEnds_IsLiveAndNotReady()
    {
        using var process = new ServiceProcess(GuardedProcess.Arguments("--Fpn:Shutdown:Delay=60s"));
        var client = new FpnClient(new HttpClient { BaseAddress = await process.WaitForAddressAsync() });
        Assert.True(await client.IsReadyAsync(Cancel));
        process.SendTerminate();
        while (await client.IsReadyAsync(Cancel))
        {
            // The signal is on its way.
            await Task.Yield();
        }

        Assert.True(await client.IsLiveAsync(Cancel));
        var report = await client.GetHealthAsync(Cancel);
        Assert.False(report.IsReady);
        Assert.Contains(report.Checks.Values, check => check is { Status: "Unhealthy", Description: not null });
    }
}
