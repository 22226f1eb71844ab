using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>A device with two streams that fails: how often that is counted, and how often the model is loaded again.</summary>
public sealed class DeviceLossTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly WorkerThreads _device = new("test device", count: 2);
    private readonly FakeClock _clock = new();
    private readonly FakeDetector _detector = new();
    private readonly MeterListener _listener;
    private readonly DynamicBatcher _batcher;
    private Func<IDetector> _reload = () => throw new InvalidOperationException("still gone");
    private int _reloads;
    private long _losses;

    public DeviceLossTests()
    {
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener = Counted.Listen(
            meters, "fpn.device.lost", (_, value, _, _) => Interlocked.Add(ref _losses, value));
        var loads = 0;
        var model = new ModelEntry(() =>
        {
            if (loads++ == 0)
            {
                return _detector;
            }

            Interlocked.Increment(ref _reloads);
            return _reload();
        });
        var runner = new BatchRunner(model, _device, new DetectionMetrics(meters), _clock, NullLogger.Instance);
        _batcher = new DynamicBatcher(runner, maxBatchSize: 1, new BatchingOptions(), _clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        await _batcher.DisposeAsync();
        _device.Dispose();
        _listener.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Infer_BothStreamsMeetOneFailure_CountsOneAndLoadsOnce()
    {
        var (answers, runs) = await RunTwoAsync();
        runs[0].Fail(new DeviceLostException("gone"));
        runs[1].Fail(new DeviceLostException("gone, too"));
        foreach (var answer in answers)
        {
            await Assert.ThrowsAsync<DeviceLostException>(() => answer);
        }

        Assert.Equal((1, 1), (_losses, _reloads));
    }

    [Fact]
    public async Task Infer_ModelThatStaysLost_CountsOneFailureAndTriesAgainForEachLaterRequest()
    {
        var lost = Send(11);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        await Assert.ThrowsAsync<DeviceLostException>(() => Send(12));
        await Assert.ThrowsAsync<DeviceLostException>(() => Send(13));
        Assert.Equal((1, 3), (_losses, _reloads));
    }

    [Fact]
    public async Task Infer_ReloadedModelLosesItsDeviceToo_CountsBothFailures()
    {
        var second = new FakeDetector();
        _reload = () => second;
        var lost = Send(11);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);

        var third = new FakeDetector { RunsFreely = true };
        _reload = () => third;
        lost = Send(12);
        (await second.NextRunAsync()).Fail(new DeviceLostException("gone again"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        Assert.Equal(13, (await Send(13)).Detections[0].Score);
        Assert.Equal((2, 2), (_losses, _reloads));
    }

    [Fact]
    public async Task Dispose_ReloadFailsMeanwhile_LeavesNoTimer()
    {
        var lost = Send(11);
        var run = await _detector.NextRunAsync();
        var ending = _batcher.DisposeAsync().AsTask();
        run.Fail(new DeviceLostException("gone"));
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        Assert.Equal((0, 1), (_clock.Timers, _reloads));
    }

    [Fact]
    public async Task Dispose_TimersReloadUnderWay_WaitsForItAndLeavesNoTimer()
    {
        var lost = Send(11);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);

        var loading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var failing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _reload = () =>
        {
            loading.SetResult();
            failing.Task.WaitAsync(TimeSpan.FromSeconds(60)).GetAwaiter().GetResult();
            throw new InvalidOperationException("still gone");
        };
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return loading.Task.IsCompleted;
        });
        var ending = _batcher.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        failing.SetResult();
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal((0, 2), (_clock.Timers, _reloads));
    }

    /// <summary>One after the other, so that each has a stream of its own.</summary>
    private async Task<(Task<InferredImage>[] Answers, FakeRun[] Runs)> RunTwoAsync()
    {
        var first = Send(11);
        var firstRun = await _detector.NextRunAsync();
        var second = Send(12);
        return ([first, second], [firstRun, await _detector.NextRunAsync()]);
    }

    private Task<InferredImage> Send(int width) => _batcher.InferAsync(
        new DetectionRequest(default), Pictures.Decoded(width, 16), null, new ImageSize(32, 32), Cancel);
}
