using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Tests;

/// <summary>What a look at the folder of models leads to.</summary>
public sealed class PackagePollTests : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private readonly TestRegistry _test = new(("pets/1", TestRegistry.Load("pets", "1")));
    private readonly FakeClock _clock = new();
    private readonly LogLines _log = new();
    private readonly LoggerFactory _loggers;
    private readonly DetectionStartup _startup;
    private readonly PackagePoll _poll;

    public PackagePollTests()
    {
        _loggers = new LoggerFactory([_log]);
        _startup = new DetectionStartup(_test.Lanes, _test.Gauges);
        _poll = new PackagePoll(
            _startup, _test.Lanes, _test.Packages, Interval, _clock, _loggers.CreateLogger<PackagePoll>());
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _poll.Dispose();
        await _test.DisposeAsync();
        _loggers.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Look_NewVersion_IsLoadedWhenTwoLooksFindTheSame()
    {
        await _startup.LoadAsync();
        _test.Add("pets/2");
        await LookAsync("1");
        await LookAsync("2", "1");
    }

    [Fact]
    public async Task Look_NewModel_IsLoaded()
    {
        await _startup.LoadAsync();
        _test.Packages.Loads.Add("cats", TestRegistry.Load("cats", "1"));
        await LookTwiceAsync();
        Assert.Equal(["pets", "cats"], _test.Lanes.Names);
    }

    [Fact]
    public async Task Look_NothingChanged_LoadsNothing()
    {
        await _startup.LoadAsync();
        var lane = Assert.Single(_test.Lanes.AllLanes);
        await LookTwiceAsync();
        await LookTwiceAsync();
        Assert.Same(lane, Assert.Single(_test.Lanes.AllLanes));
    }

    [Fact]
    public async Task Look_ChangedPackage_TakesOver()
    {
        await _startup.LoadAsync();
        var lane = Assert.Single(_test.Lanes.AllLanes);
        _test.Add("pets/1");
        await LookTwiceAsync();
        Assert.NotSame(lane, Assert.Single(_test.Lanes.AllLanes));
    }

    /// <summary>A file that is still being copied is not even read.</summary>
    [Fact]
    public async Task Look_FilesChangeEachTime_AreLeftAlone()
    {
        await _startup.LoadAsync();
        for (var i = 0; i < 5; i++)
        {
            _test.Add("pets/2");
            await LookAsync("1");
        }

        await LookAsync("2", "1");
    }

    [Fact]
    public async Task Look_BrokenPackage_IsTriedOnceForEachChange()
    {
        await _startup.LoadAsync();
        var tries = 0;
        foreach (var reason in (string[])["cut off", "still cut off"])
        {
            _test.Packages.Loads["pets/2"] = () =>
            {
                tries++;
                throw new ModelPackageException(reason);
            };
            await LookTwiceAsync();
            await LookTwiceAsync();
            Assert.Equal(reason, _test.Lanes.States[1].Reason);
        }

        Assert.Equal(2, tries);
        Assert.Equal(["1"], _test.Served);
        _test.Add("pets/2");
        await LookTwiceAsync();
        Assert.Equal(["2", "1"], _test.Served);
    }

    [Fact]
    public async Task Look_BrokenPackageIsPutBack_HasNoReasonAnyMore()
    {
        await _startup.LoadAsync();
        var good = _test.Packages.Loads["pets/1"];
        _test.Packages.Loads["pets/1"] = () => throw new ModelPackageException("cut off");
        await LookTwiceAsync();
        Assert.Equal([new ModelState("pets", "1", ModelAvailability.Ready, "cut off")], _test.Lanes.States);
        _test.Packages.Loads["pets/1"] = good;
        await LookTwiceAsync();
        Assert.Equal([new ModelState("pets", "1", ModelAvailability.Ready, "")], _test.Lanes.States);
    }

    [Fact]
    public async Task Look_NewestVersionIsGone_GoesBackOnceTwoLooksMissIt()
    {
        _test.Add("pets/2");
        await _startup.LoadAsync();
        await LookTwiceAsync();
        _test.Packages.Loads.Remove("pets/2");
        await LookAsync("2", "1");
        Assert.Equal("2", _test.Take(null));
        await LookAsync("1");
    }

    [Fact]
    public async Task Look_ModelIsGone_StaysInService()
    {
        await _startup.LoadAsync();
        _test.Packages.Loads.Clear();
        await LookTwiceAsync();
        await LookTwiceAsync();
        Assert.Equal(["1"], _test.Served);
    }

    [Fact]
    public async Task Look_FolderIsAway_ChangesNothingAndIsLoggedOnce()
    {
        await _startup.LoadAsync();
        _test.Packages.IsAway = true;
        await LookTwiceAsync();
        Assert.Equal(["1"], _test.Served);
        Assert.Contains("cannot be read", Assert.Single(_log.All), StringComparison.Ordinal);

        _test.Packages.IsAway = false;
        _test.Add("pets/2");
        await LookTwiceAsync();
        Assert.Equal(["2", "1"], _test.Served);
    }

    [Fact]
    public async Task Look_ModelWasUnloaded_StaysSoUntilItIsLoaded()
    {
        await _startup.LoadAsync();
        Assert.True(await _test.Lanes.UnloadAsync("pets"));
        _test.Add("pets/2");
        await LookTwiceAsync();
        Assert.Empty(_test.Served);
        Assert.Null(await _test.Lanes.LoadAsync("pets"));
        _test.Add("pets/3");
        await LookTwiceAsync();
        Assert.Equal(["3", "2", "1"], _test.Served);
    }

    [Fact]
    public async Task Start_IntervalPasses_Looks()
    {
        await _poll.StartAsync(Cancel);
        await Eventually.TrueAsync(() => _clock.Timers == 1);
        Assert.Equal(["1"], _test.Served);
        _test.Add("pets/2");
        var lists = _test.Packages.Lists;
        _clock.Advance(Interval - TimeSpan.FromTicks(1));
        Assert.Equal(lists, _test.Packages.Lists);
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(Interval);
            return _test.Served is ["2", "1"];
        });
        await _poll.StopAsync(Cancel);
    }

    /// <summary>Looks once, after which these versions are served, the newest first.</summary>
    private async Task LookAsync(params string[] versions)
    {
        await _poll.LookAsync();
        Assert.Equal(versions, _test.Served);
    }

    private async Task LookTwiceAsync()
    {
        await _poll.LookAsync();
        await _poll.LookAsync();
    }
}
