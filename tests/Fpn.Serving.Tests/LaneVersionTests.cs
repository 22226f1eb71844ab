using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>Models in several versions, which come and go.</summary>
public sealed class LaneVersionTests : IAsyncDisposable
{
    private readonly TestRegistry _test = new(("pets/2", TestRegistry.Load("pets", "2")));

    public ValueTask DisposeAsync() => _test.DisposeAsync();

    [Fact]
    public async Task Start_Versions_ServesAllTheGreatestNumberFirst()
    {
        _test.Add("pets/10");
        _test.Add("pets/1");
        await _test.Lanes.StartAsync();
        Assert.Equal(["pets"], _test.Lanes.Names);
        Assert.Equal(["10", "2", "1"], _test.Served);
        Assert.Equal("10", _test.Take(null));
        Assert.Equal("10", _test.Take("10"));
        Assert.Equal("1", _test.Take("1"));
        Assert.All((string[])["3", "01", "1.0", ""], version => Assert.Null(_test.Take(version)));
        Assert.Equal(
            [
                new ModelState("pets", "1", ModelAvailability.Ready, ""),
                new ModelState("pets", "2", ModelAvailability.Ready, ""),
                new ModelState("pets", "10", ModelAvailability.Ready, ""),
            ],
            _test.Lanes.States);
    }

    [Fact]
    public async Task Start_FewerVersionsThanThereAre_LoadsTheNewest()
    {
        await using var test = new TestRegistry(mostVersions: 2, ("pets/2", TestRegistry.Load("pets", "2")));
        test.Add("pets/10");
        test.Packages.Loads.Add("pets/1", () => throw new ModelPackageException("Not to be loaded."));
        await test.Lanes.StartAsync();
        Assert.Equal(["10", "2"], test.Served);
        Assert.Equal(new ModelState("pets", "1", ModelAvailability.Unloaded, ""), test.Lanes.States[0]);
    }

    [Fact]
    public async Task Start_VersionFailsOnItsFirstBatch_IsNamed()
    {
        _test.Packages.Loads.Add("pets/3", () => new FakeDetector
        {
            RunsFreely = true,
            DuringRun = _ => throw new ModelFailureException("the head failed"),
        });
        var failure = await Assert.ThrowsAsync<ModelNotServedException>(_test.Lanes.StartAsync);
        Assert.Equal("pets/3: Model 'fake' fails on its first batch: the head failed", failure.Message);
    }

    [Fact]
    public async Task Load_NewVersion_LeavesTheOthersAsTheyAre()
    {
        await _test.Lanes.StartAsync();
        var second = Assert.Single(_test.Lanes.AllLanes);
        _test.Add("pets/3");
        Assert.Null(await _test.Lanes.LoadAsync("pets"));
        Assert.Equal(["3", "2"], _test.Served);
        Assert.Same(second, _test.Lanes.AllLanes[1]);
    }

    [Fact]
    public async Task Load_ChangedVersion_ReplacesItAlone()
    {
        _test.Add("pets/3");
        await _test.Lanes.StartAsync();
        var (third, second) = (_test.Lanes.AllLanes[0], _test.Lanes.AllLanes[1]);
        _test.Packages.Loads["pets/2"] = TestRegistry.Load("pets", "2");
        Assert.Null(await _test.Lanes.LoadAsync("pets"));
        Assert.Same(third, _test.Lanes.AllLanes[0]);
        Assert.NotSame(second, _test.Lanes.AllLanes[1]);
    }

    [Fact]
    public async Task Load_OneVersionAtATime_TakesTheOlderOut()
    {
        await using var test = new TestRegistry(mostVersions: 1, ("pets/2", TestRegistry.Load("pets", "2")));
        await test.Lanes.StartAsync();
        Assert.True(test.Lanes.TryTake("pets", out var inFlight));
        test.Add("pets/3");
        Assert.Null(await test.Lanes.LoadAsync("pets"));
        Assert.Equal(["3"], test.Served);
        Assert.Equal(new ModelState("pets", "2", ModelAvailability.Unavailable, "unloaded"), test.Lanes.States[0]);

        // A request that had the older one keeps it.
        Assert.Equal(2, test.Lanes.Working.Count);
        inFlight.Dispose();
        await Eventually.TrueAsync(() => test.Lanes.Working.Count == 1);
    }

    [Fact]
    public async Task Load_BrokenNewest_CostsNoOlderVersion()
    {
        await using var test = new TestRegistry(mostVersions: 1, ("pets/2", TestRegistry.Load("pets", "2")));
        test.Add("pets/1");
        await test.Lanes.StartAsync();
        test.Packages.Loads.Add("pets/3", () => throw new ModelPackageException("key 'labels' is missing."));
        Assert.Equal("key 'labels' is missing.", await test.Lanes.LoadAsync("pets"));
        Assert.Equal(["2"], test.Served);
        Assert.Equal(
            new ModelState("pets", "3", ModelAvailability.Unavailable, "key 'labels' is missing."),
            test.Lanes.States[2]);
    }

    /// <summary>Going back is deleting the newest; the older one is loaded first if it has to be.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Load_NewestIsGone_GoesBackToTheOneBefore(int mostVersions)
    {
        await using var test = new TestRegistry(mostVersions, ("pets/2", TestRegistry.Load("pets", "2")));
        test.Add("pets/3");
        await test.Lanes.StartAsync();
        Assert.Equal("3", test.Take(null));
        test.Packages.Loads.Remove("pets/3");
        Assert.Null(await test.Lanes.LoadAsync("pets"));
        Assert.Equal(["2"], test.Served);
    }

    [Fact]
    public async Task Load_AllVersionsAreGone_TakesNothingOut()
    {
        await _test.Lanes.StartAsync();
        _test.Packages.Loads.Clear();
        Assert.Equal("there is no package 'pets'", await _test.Lanes.LoadAsync("pets"));
        Assert.Equal(["2"], _test.Served);
    }

    /// <summary>What is left cannot be loaded, so what is gone stays in service.</summary>
    [Fact]
    public async Task Load_NewestIsGoneAndTheOtherIsBroken_TakesNothingOut()
    {
        await using var test = new TestRegistry(mostVersions: 1, ("pets/2", TestRegistry.Load("pets", "2")));
        await test.Lanes.StartAsync();
        test.Packages.Loads.Clear();
        test.Packages.Loads.Add("pets/1", () => throw new ModelPackageException("broken"));
        Assert.Equal("broken", await test.Lanes.LoadAsync("pets"));
        Assert.Equal(["2"], test.Served);
    }

    [Fact]
    public async Task Load_VersionsInPlaceOfAPackage_TakeOver()
    {
        await using var test = new TestRegistry(("pets", TestRegistry.Load("pets", "free text")));
        await test.Lanes.StartAsync();
        test.Packages.Loads.Clear();
        test.Add("pets/1");
        Assert.Null(await test.Lanes.LoadAsync("pets"));
        Assert.Equal(["1"], test.Served);
    }

    [Fact]
    public async Task Unload_Model_TakesAllVersionsOut()
    {
        _test.Add("pets/3");
        await _test.Lanes.StartAsync();
        Assert.True(await _test.Lanes.UnloadAsync("pets"));
        Assert.Null(_test.Take(null));
        Assert.Null(_test.Take("2"));
        Assert.Equal(
            [
                new ModelState("pets", "2", ModelAvailability.Unavailable, "unloaded"),
                new ModelState("pets", "3", ModelAvailability.Unavailable, "unloaded"),
            ],
            _test.Lanes.States);
        Assert.Null(await _test.Lanes.LoadAsync("pets"));
        Assert.Equal(["3", "2"], _test.Served);
    }
}
