using System.Diagnostics.Metrics;
using Fpn.Models.Execution.Devices;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>A device with two streams that fails: how often that is counted, and how often the model is loaded
/// again.</summary>
public sealed class DeviceLossTests : IAsyncDisposable
{
    private readonly TestBatcher _batcher = new(streams: 2);
    private readonly MeterListener _listener;
    private long _losses;

    public DeviceLossTests()
    {
        _listener = _batcher.Listen("fpn.device.lost", value => Interlocked.Add(ref _losses, value));
        _batcher.Start(maxBatchSize: 1);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _batcher.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task Infer_BothStreamsMeetOneFailure_CountsOneAndLoadsOnce()
    {
        var (runs, answers) = await _batcher.OccupyBothStreamsAsync();
        runs[0].Fail(new DeviceLostException("gone"));
        runs[1].Fail(new DeviceLostException("gone, too"));
        foreach (var answer in answers)
        {
            await Assert.ThrowsAsync<DeviceLostException>(() => answer);
        }

        Assert.Equal((1, 1), (_losses, _batcher.Reloads));
    }

    [Fact]
    public async Task Infer_ModelThatStaysLost_CountsOneFailureAndTriesAgainForEachLaterRequest()
    {
        var lost = _batcher.Send(11);
        (await _batcher.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        await Assert.ThrowsAsync<DeviceLostException>(() => _batcher.Send(12));
        await Assert.ThrowsAsync<DeviceLostException>(() => _batcher.Send(13));
        Assert.Equal((1, 3), (_losses, _batcher.Reloads));
    }

    [Fact]
    public async Task Infer_ReloadedModelLosesItsDeviceToo_CountsBothFailures()
    {
        var second = new FakeDetector();
        _batcher.Reload = () => second;
        var lost = _batcher.Send(11);
        (await _batcher.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);

        var third = new FakeDetector { RunsFreely = true };
        _batcher.Reload = () => third;
        lost = _batcher.Send(12);
        (await second.NextRunAsync()).Fail(new DeviceLostException("gone again"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        Assert.Equal(13, (await _batcher.Send(13)).Detections[0].Score);
        Assert.Equal((2, 2), (_losses, _batcher.Reloads));
    }

    [Fact]
    public async Task Dispose_ReloadFailsMeanwhile_LeavesNoTimer()
    {
        var lost = _batcher.Send(11);
        var run = await _batcher.Detector.NextRunAsync();
        var ending = _batcher.Batcher.DisposeAsync().AsTask();
        run.Fail(new DeviceLostException("gone"));
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        Assert.Equal((0, 1), (_batcher.Clock.Timers, _batcher.Reloads));
    }

    [Fact]
    public async Task Dispose_TimersReloadUnderWay_WaitsForItAndLeavesNoTimer()
    {
        var lost = _batcher.Send(11);
        (await _batcher.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);

        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _batcher.Reload = () =>
        {
            loading.SetResult();
            failing.Task.WaitAsync(TimeSpan.FromSeconds(60)).GetAwaiter().GetResult();
            throw new InvalidOperationException("still gone");
        };
        await Eventually.TrueAsync(() =>
        {
            _batcher.Clock.Advance(TimeSpan.FromSeconds(1));
            return loading.Task.IsCompleted;
        });
        var ending = _batcher.Batcher.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        failing.SetResult();
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal((0, 2), (_batcher.Clock.Timers, _batcher.Reloads));
    }
}
