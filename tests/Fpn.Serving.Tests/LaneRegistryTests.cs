using Fpn.Detection.Geometry;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>Models that come, change and go while requests run.</summary>
public sealed class LaneRegistryTests : IAsyncDisposable
{
    private readonly FakeDetector _first = Version("fake", "1");
    private readonly FakeDetector _second = Version("fake", "2");
    private readonly TestRegistry _test;

    public LaneRegistryTests() => _test = new TestRegistry(("fake", () => _first));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string? ServedVersion =>
        _test.Lanes.Lanes.SingleOrDefault(lane => lane.Model.Contract.Name == "fake")?.Model.Contract.Version;

    public async ValueTask DisposeAsync()
    {
        _first.RunsFreely = _second.RunsFreely = true;
        await _test.DisposeAsync();
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public async Task Start_SeveralPackages_ServesAllTheDefaultOneFirst()
    {
        _test.Packages.Loads.Add("apples", () => Version("apples", "7"));
        await _test.Lanes.StartAsync();
        Assert.Equal(["fake", "apples"], _test.Lanes.Names);
        Assert.Equal(
            [
                new ModelState("apples", "7", ModelAvailability.Ready, ""),
                new ModelState("fake", "1", ModelAvailability.Ready, ""),
            ],
            _test.Lanes.States);
    }

    [Fact]
    public async Task Take_UnknownModel_IsRefused()
    {
        await _test.Lanes.StartAsync();
        Assert.False(_test.Lanes.TryTake("Fake", out _));
    }

    [Fact]
    public async Task Load_PackageThatIsNew_ServesIt()
    {
        await _test.Lanes.StartAsync();
        _test.Packages.Loads.Add("apples", () => Version("apples", "7"));
        Assert.Contains(new ModelState("apples", null, ModelAvailability.Unloaded, ""), _test.Lanes.States);
        Assert.Null(await _test.Lanes.LoadAsync("apples"));
        Assert.True(_test.Lanes.TryTake("apples", out var use));
        using (use)
        {
            Assert.Equal(3, await InferAsync(use, 3));
        }
    }

    [Fact]
    public async Task Load_Again_AnswersTheOldRequestsFromTheOldVersionAndThenFreesIt()
    {
        await _test.Lanes.StartAsync();
        Assert.True(_test.Lanes.TryTake("fake", out var old));
        _test.Packages.Loads["fake"] = () => _second;
        Assert.Null(await _test.Lanes.LoadAsync("fake"));
        Assert.Equal("2", ServedVersion);
        Assert.True(_test.Lanes.TryTake("fake", out var @new));
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
        await _test.Lanes.StartAsync();
        _test.Packages.Loads["fake"] = () => throw new ModelPackageException("key 'labels' is missing.");
        Assert.Equal("key 'labels' is missing.", await _test.Lanes.LoadAsync("fake"));
        Assert.Equal(
            [new ModelState("fake", "1", ModelAvailability.Ready, "key 'labels' is missing.")], _test.Lanes.States);

        _test.Packages.Loads["fake"] = () => _second;
        Assert.Null(await _test.Lanes.LoadAsync("fake"));
        Assert.Equal([new ModelState("fake", "2", ModelAvailability.Ready, "")], _test.Lanes.States);
    }

    [Fact]
    public async Task Load_FirstBatchFails_KeepsTheOldOneAndFreesTheNew()
    {
        await _test.Lanes.StartAsync();
        _second.DuringRun = _ => throw new ModelFailureException("the head failed");
        _test.Packages.Loads["fake"] = () => _second;
        Assert.Equal("Model 'fake' fails on its first batch: the head failed", await _test.Lanes.LoadAsync("fake"));
        Assert.Equal(1, _second.Disposals);
        Assert.True(_test.Lanes.TryTake("fake", out var use));
        using (use)
        {
            Assert.Equal(("1", 6), (use.Lane.Model.Contract.Version, await InferAsync(use, 6)));
        }
    }

    [Fact]
    public async Task Load_NoSuchPackage_SaysSoAndIsNotRemembered()
    {
        await _test.Lanes.StartAsync();
        Assert.Equal("there is no package '../fake'", await _test.Lanes.LoadAsync("../fake"));
        Assert.Equal("fake", Assert.Single(_test.Lanes.States).Name);
    }

    [Fact]
    public async Task Load_WhileItRuns_IsSeenInTheStates()
    {
        await _test.Lanes.StartAsync();
        _second.RunsFreely = false;
        _test.Packages.Loads.Add("slow", () => _second);
        var loading = _test.Lanes.LoadAsync("slow");
        var run = await _second.NextRunAsync();
        Assert.Contains(new ModelState("slow", null, ModelAvailability.Loading, ""), _test.Lanes.States);
        _second.RunsFreely = true;
        run.End();
        Assert.Null(await loading);
    }

    [Fact]
    public async Task Unload_WithARequestInside_AnswersItAndRefusesOthers()
    {
        await _test.Lanes.StartAsync();
        Assert.True(_test.Lanes.TryTake("fake", out var use));
        Assert.True(await _test.Lanes.UnloadAsync("fake"));
        Assert.False(await _test.Lanes.UnloadAsync("fake"));
        Assert.False(_test.Lanes.TryTake("fake", out _));
        Assert.Equal([new ModelState("fake", null, ModelAvailability.Unavailable, "unloaded")], _test.Lanes.States);
        using (use)
        {
            Assert.Equal(7, await InferAsync(use, 7));
        }

        await Eventually.TrueAsync(() => _first.Disposals == 1);
        Assert.Null(await _test.Lanes.LoadAsync("fake"));
        Assert.Equal("1", ServedVersion);
    }

    [Fact]
    public async Task Load_AfterTheServiceBeganToEnd_IsRefused()
    {
        await _test.Lanes.StartAsync();
        _test.Lanes.Abandon();
        _test.Packages.Loads["fake"] = () => _second;
        Assert.Equal("the service is shutting down", await _test.Lanes.LoadAsync("fake"));
        Assert.Equal(("1", 1), (ServedVersion, _second.Disposals));
    }

    [Fact]
    public async Task Dispose_WithAUseThatNeverEnds_FreesTheModelAllTheSame()
    {
        await _test.Lanes.StartAsync();
        Assert.True(_test.Lanes.TryTake("fake", out var use));
        Assert.True(await _test.Lanes.UnloadAsync("fake"));
        await _test.Lanes.DisposeAsync();
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
