using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>A device that runs two batches at the same time, as a GPU does.</summary>
public sealed class StreamsTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly WorkerThreads _device = new("test device", count: 2);
    private readonly FakeClock _clock = new();
    private readonly FakeDetector _detector = new();
    private readonly FakeDetector _reloaded = new() { RunsFreely = true };
    private readonly DynamicBatcher _batcher;

    public StreamsTests()
    {
        var loads = new Queue<FakeDetector>([_detector, _reloaded]);
        var runner = new BatchRunner(
            new ModelEntry(loads.Dequeue),
            _device,
            new DetectionMetrics(_services.GetRequiredService<IMeterFactory>()),
            _clock,
            NullLogger.Instance);
        _batcher = new DynamicBatcher(runner, maxBatchSize: 2, new BatchingOptions(), _clock);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        await _batcher.DisposeAsync();
        _device.Dispose();
        await _services.DisposeAsync();
        _detector.Dispose();
        _reloaded.Dispose();
    }

    [Fact]
    public async Task Infer_OneRuns_TheNextBeginsBesideIt()
    {
        var first = Send(11);
        var firstRun = await _detector.NextRunAsync();
        var second = Send(12);
        var secondRun = await _detector.NextRunAsync();

        secondRun.End();
        Assert.Equal(12, (await second).Detections[0].Score);
        Assert.False(first.IsCompleted);
        firstRun.End();
        Assert.Equal(11, (await first).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_TwoRun_AThirdBatchIsPreparedOnceItIsFull()
    {
        var (running, runs) = await RunTwoAsync();
        await _detector.NextPreparedAsync();
        await _detector.NextPreparedAsync();

        var waiting = Send(21);
        Assert.Equal(1, _batcher.Waiting);
        var filling = Send(22);

        Assert.Equal(2, await _detector.NextPreparedAsync());
        Assert.All(runs, run => Assert.Single(run.Widths));
        runs[0].End();
        (await _detector.NextRunAsync()).End();
        Assert.Equal([21, 22], (await Task.WhenAll(waiting, filling)).Select(image => (int)image.Detections[0].Score));
        runs[1].End();
        await Task.WhenAll(running);
    }

    [Fact]
    public async Task Infer_RunsSideBySide_CountTheTimeThatTheyTookTogether()
    {
        var (answers, runs) = await RunTwoAsync();
        _clock.Advance(TimeSpan.FromMilliseconds(100));
        runs[0].End();
        await Task.WhenAny(answers);
        runs[1].End();
        await Task.WhenAll(answers);

        // 100 ms and, at the same moment, none: the second weighs a fifth.
        Assert.Equal(80, _batcher.Rate.PerImage!.Value.TotalMilliseconds, 0.001);
    }

    [Fact]
    public async Task Infer_DeviceLostWhileAnotherRuns_FreesTheSessionsAfterBoth()
    {
        var lost = Send(11);
        var lostRun = await _detector.NextRunAsync();
        var other = Send(12);
        var otherRun = await _detector.NextRunAsync();

        lostRun.Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        Assert.Equal(0, _detector.Disposals);
        Assert.Equal(13, (await Send(13)).Detections[0].Score);

        otherRun.Fail(new DeviceLostException("gone, too"));
        await Assert.ThrowsAsync<DeviceLostException>(() => other);
        Assert.Equal(1, _detector.Disposals);
        Assert.Equal(14, (await Send(14)).Detections[0].Score);
        Assert.Equal(0, _reloaded.Disposals);
    }

    /// <summary>One after the other, since together they would share a run.</summary>
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
