using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>Models that come, change and go while requests run.</summary>
public sealed class LaneRegistryTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly FakeDetector _first = Version("fake", "1");
    private readonly FakeDetector _second = Version("fake", "2");
    private readonly FakePackages _packages;
    private readonly LaneRegistry _lanes;

    public LaneRegistryTests()
    {
        _packages = new FakePackages(("fake", () => _first));
        _lanes = new LaneRegistry(
            _packages,
            new BatchingOptions { MaxBatchSize = 1 },
            new DetectionMetrics(_services.GetRequiredService<IMeterFactory>()),
            TimeProvider.System,
            NullLogger<LaneRegistry>.Instance);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string? ServedVersion =>
        _lanes.Lanes.SingleOrDefault(lane => lane.Model.Contract.Name == "fake")?.Model.Contract.Version;

    public async ValueTask DisposeAsync()
    {
        _first.RunsFreely = _second.RunsFreely = true;
        await _lanes.DisposeAsync();
        await _services.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task Start_SeveralPackages_ServesAllTheDefaultOneFirst()
    {
        _packages.Loads.Add("apples", () => Version("apples", "7"));
        await _lanes.StartAsync();
        Assert.Equal(["fake", "apples"], _lanes.Names);
        Assert.Equal(
            [
                new ModelState("apples", "7", ModelAvailability.Ready, ""),
                new ModelState("fake", "1", ModelAvailability.Ready, ""),
            ],
            _lanes.States);
    }

    [Fact]
    public async Task Take_UnknownModel_IsRefused()
    {
        await _lanes.StartAsync();
        Assert.False(_lanes.TryTake("Fake", out _));
    }

    [Fact]
    public async Task Load_PackageThatIsNew_ServesIt()
    {
        await _lanes.StartAsync();
        _packages.Loads.Add("apples", () => Version("apples", "7"));
        Assert.Contains(new ModelState("apples", null, ModelAvailability.Unloaded, ""), _lanes.States);
        Assert.Null(await _lanes.LoadAsync("apples"));
        Assert.True(_lanes.TryTake("apples", out var use));
        using (use)
        {
            Assert.Equal(3, await InferAsync(use, 3));
        }
    }

    [Fact]
    public async Task Load_Again_AnswersTheOldRequestsFromTheOldVersionAndThenFreesIt()
    {
        await _lanes.StartAsync();
        Assert.True(_lanes.TryTake("fake", out var old));
        _packages.Loads["fake"] = () => _second;
        Assert.Null(await _lanes.LoadAsync("fake"));
        Assert.Equal("2", ServedVersion);
        Assert.True(_lanes.TryTake("fake", out var @new));
        using (@new)
        {
            Assert.Equal("2", @new.Lane.Model.Contract.Version);
            Assert.Equal(4, await InferAsync(@new, 4));
        }

        Assert.Equal("1", old.Lane.Model.Contract.Version);
        Assert.Equal(5, await InferAsync(old, 5));
        Assert.Equal(0, _first.Disposals);
        old.Dispose();
        old.Dispose();
        await Eventually.TrueAsync(() => _first.Disposals == 1);
        Assert.Equal(0, _second.Disposals);
    }

    [Fact]
    public async Task Load_WrongPackage_KeepsTheOldOneAndSaysWhy()
    {
        await _lanes.StartAsync();
        _packages.Loads["fake"] = () => throw new ModelPackageException("key 'labels' is missing.");
        Assert.Equal("key 'labels' is missing.", await _lanes.LoadAsync("fake"));
        Assert.Equal([new ModelState("fake", "1", ModelAvailability.Ready, "key 'labels' is missing.")], _lanes.States);

        _packages.Loads["fake"] = () => _second;
        Assert.Null(await _lanes.LoadAsync("fake"));
        Assert.Equal([new ModelState("fake", "2", ModelAvailability.Ready, "")], _lanes.States);
    }

    [Fact]
    public async Task Load_FirstBatchFails_KeepsTheOldOneAndFreesTheNew()
    {
        await _lanes.StartAsync();
        _second.DuringRun = _ => throw new ModelFailureException("the head failed");
        _packages.Loads["fake"] = () => _second;
        Assert.Equal("Model 'fake' fails on its first batch: the head failed", await _lanes.LoadAsync("fake"));
        Assert.Equal(1, _second.Disposals);
        Assert.True(_lanes.TryTake("fake", out var use));
        using (use)
        {
            Assert.Equal(("1", 6), (use.Lane.Model.Contract.Version, await InferAsync(use, 6)));
        }
    }

    [Fact]
    public async Task Load_NoSuchPackage_SaysSoAndIsNotRemembered()
    {
        await _lanes.StartAsync();
        Assert.Equal("there is no package '../fake'", await _lanes.LoadAsync("../fake"));
        Assert.Equal("fake", Assert.Single(_lanes.States).Name);
    }

    [Fact]
    public async Task Load_WhileItRuns_IsSeenInTheStates()
    {
        await _lanes.StartAsync();
        _second.RunsFreely = false;
        _packages.Loads.Add("slow", () => _second);
        var loading = _lanes.LoadAsync("slow");
        var run = await _second.NextRunAsync();
        Assert.Contains(new ModelState("slow", null, ModelAvailability.Loading, ""), _lanes.States);
        _second.RunsFreely = true;
        run.End();
        Assert.Null(await loading);
    }

    [Fact]
    public async Task Unload_WithARequestInside_AnswersItAndRefusesOthers()
    {
        await _lanes.StartAsync();
        Assert.True(_lanes.TryTake("fake", out var use));
        Assert.True(await _lanes.UnloadAsync("fake"));
        Assert.False(await _lanes.UnloadAsync("fake"));
        Assert.False(_lanes.TryTake("fake", out _));
        Assert.Equal([new ModelState("fake", null, ModelAvailability.Unavailable, "unloaded")], _lanes.States);
        using (use)
        {
            Assert.Equal(7, await InferAsync(use, 7));
        }

        await Eventually.TrueAsync(() => _first.Disposals == 1);
        Assert.Null(await _lanes.LoadAsync("fake"));
        Assert.Equal("1", ServedVersion);
    }

    [Fact]
    public async Task Load_AfterTheServiceBeganToEnd_IsRefused()
    {
        await _lanes.StartAsync();
        _lanes.Abandon();
        _packages.Loads["fake"] = () => _second;
        Assert.Equal("the service is shutting down", await _lanes.LoadAsync("fake"));
        Assert.Equal(("1", 1), (ServedVersion, _second.Disposals));
    }

    [Fact]
    public async Task Dispose_WithAUseThatNeverEnds_FreesTheModelAllTheSame()
    {
        await _lanes.StartAsync();
        Assert.True(_lanes.TryTake("fake", out var use));
        Assert.True(await _lanes.UnloadAsync("fake"));
        await _lanes.DisposeAsync();
        Assert.Equal(1, _first.Disposals);
        use.Dispose();
    }

    private static FakeDetector Version(string name, string version)
    {
        using var plain = new FakeDetector();
        return new FakeDetector
        {
            RunsFreely = true,
            Contract = plain.Contract with { Name = name, Version = version },
        };
    }

    /// <summary>Runs an image of that width, which the fake gives back as score.</summary>
    private static async Task<float> InferAsync(LaneUse use, int width)
    {
        var image = use.Lane.Model.Measure(Pictures.Decoded(width, 8));
        var batcher = use.Lane.Batcher;
        var inferred = await batcher.InferAsync(
            batcher.Create(
                new DetectionRequest(default),
                image,
                new SharedPicture(image.Decoded, lease: null),
                new ImageSize(32, 32),
                weight: 1),
            Cancel);
        return Assert.Single(inferred.Detections).Score;
    }
}
