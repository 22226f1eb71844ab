using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
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
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>The batcher with a clock and a model that do what the test says. Images are told apart by their widths.</summary>
public sealed class DynamicBatcherTests : IAsyncDisposable
{
    private readonly FakeClock _clock = new();
    private readonly FakeDetector _detector = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly WorkerThreads _device = new("test device", count: 1);
    private readonly List<DynamicBatcher> _batchers = [];
    private Func<IDetector>? _reload;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        foreach (var batcher in _batchers)
        {
            await batcher.DisposeAsync();
        }

        _device.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Infer_FreeDevice_RunsAloneAtOnce()
    {
        var batcher = Batcher(4);
        var answer = Send(batcher, 10);
        var run = await _detector.NextRunAsync();
        run.End();

        var result = await answer;
        Assert.Equal([10], run.Widths);
        Assert.Equal(1, result.BatchSize);
        Assert.Equal(10, result.Detections[0].Score);
    }

    [Fact]
    public async Task Infer_BusyDevice_CollectsOneBatchOfAllThatCame()
    {
        var batcher = Batcher(4);
        var (first, firstAnswer) = await OccupyAsync(batcher);
        var answers = new[] { Send(batcher, 11), Send(batcher, 12), Send(batcher, 13) };
        first.End();

        var second = await _detector.NextRunAsync();
        second.End();
        Assert.Equal([11, 12, 13], second.Widths);
        await firstAnswer;
        var results = await Task.WhenAll(answers);
        Assert.Equal([11f, 12f, 13f], results.Select(result => result.Detections[0].Score));
        Assert.All(results, result => Assert.Equal(3, result.BatchSize));
    }

    [Fact]
    public async Task Infer_MoreThanFit_SplitsInOrderOfArrival()
    {
        var batcher = Batcher(2);
        var (first, _) = await OccupyAsync(batcher);
        var answers = Enumerable.Range(11, 5).Select(width => Send(batcher, width)).ToList();
        first.End();

        foreach (var expected in new int[][] { [11, 12], [13, 14], [15] })
        {
            var run = await _detector.NextRunAsync();
            Assert.Equal(expected, run.Widths);
            run.End();
        }

        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_MaxQueueDelay_WaitsForOthersUntilItHasPassed()
    {
        var batcher = Batcher(4, delay: TimeSpan.FromMilliseconds(10));
        var answers = new List<Task<InferredImage>> { Send(batcher, 11) };
        _clock.Advance(TimeSpan.FromMilliseconds(9));
        answers.Add(Send(batcher, 12));
        _clock.Advance(TimeSpan.FromMilliseconds(1));

        var run = await _detector.NextRunAsync();
        run.End();
        Assert.Equal([11, 12], run.Widths);
        var results = await Task.WhenAll(answers);
        Assert.All(results, result => Assert.Equal(2, result.BatchSize));
    }

    [Fact]
    public async Task Infer_FullBatch_DoesNotWaitForTheDelay()
    {
        var batcher = Batcher(2, delay: TimeSpan.FromHours(1));
        var answers = new[] { Send(batcher, 11), Send(batcher, 12) };
        var run = await _detector.NextRunAsync();
        run.End();
        Assert.Equal([11, 12], run.Widths);
        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_FullBatchOnABusyDevice_IsPreparedWhileTheOtherRuns()
    {
        var batcher = Batcher(2);
        var (first, running) = await OccupyAsync(batcher);
        Assert.Equal(1, await _detector.NextPreparedAsync());
        var answers = new[] { Send(batcher, 11), Send(batcher, 12) };

        Assert.Equal(2, await _detector.NextPreparedAsync());
        Assert.False(running.IsCompleted);
        first.End();
        (await _detector.NextRunAsync()).End();
        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_MixedBuckets_NeverShareABatchAndTheOldestGoesFirst()
    {
        var batcher = Batcher(8);
        var (first, _) = await OccupyAsync(batcher);
        var small = new ImageSize(32, 32);
        var large = new ImageSize(64, 64);
        var answers = new[]
        {
            Send(batcher, 11, bucket: small), Send(batcher, 12, bucket: large), Send(batcher, 13, bucket: small), Send(batcher, 14, bucket: large),
        };
        first.End();

        var second = await _detector.NextRunAsync();
        second.End();
        var third = await _detector.NextRunAsync();
        third.End();
        Assert.Equal([11, 13], second.Widths);
        Assert.Equal(small, second.Size);
        Assert.Equal([12, 14], third.Widths);
        Assert.Equal(large, third.Size);
        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_PopularBucket_DoesNotStarveARareOne()
    {
        var batcher = Batcher(2);
        var (first, _) = await OccupyAsync(batcher);
        var rare = Send(batcher, 99, bucket: new ImageSize(128, 128));
        var popular = Enumerable.Range(11, 6).Select(width => Send(batcher, width)).ToList();
        first.End();

        // A full batch may have been put ahead already; the rare one is not later than second.
        var runs = new List<FakeRun>();
        for (var i = 0; i < 4; i++)
        {
            runs.Add(await _detector.NextRunAsync());
            runs[i].End();
        }

        Assert.Contains(99, runs[0].Widths.Concat(runs[1].Widths));
        await Task.WhenAll([rare, .. popular]);
    }

    [Fact]
    public async Task Infer_HighPriority_GoesBeforeThoseThatCameEarlier()
    {
        var batcher = Batcher(1);
        var (first, _) = await OccupyAsync(batcher);
        var ahead = Send(batcher, 1); // prepared while the first runs
        var low = Send(batcher, 11, RequestPriority.Low);
        var normal = Send(batcher, 12);
        var high = Send(batcher, 13, RequestPriority.High);
        first.End();

        var order = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            var run = await _detector.NextRunAsync();
            order.AddRange(run.Widths);
            run.End();
        }

        await Task.WhenAll(ahead, low, normal, high);
        Assert.True(order.IndexOf(13) < order.IndexOf(12) && order.IndexOf(12) < order.IndexOf(11), string.Join(", ", order));
    }

    [Fact]
    public async Task Infer_CancelledWhileQueued_IsNotComputed()
    {
        var batcher = Batcher(4);
        var (first, _) = await OccupyAsync(batcher);
        using var gone = new CancellationTokenSource();
        var cancelled = Send(batcher, 11, gone: gone);
        var kept = Send(batcher, 12);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        first.End();

        var second = await _detector.NextRunAsync();
        second.End();
        Assert.Equal([12], second.Widths);
        await kept;
    }

    [Fact]
    public async Task Infer_CancelledOnTheDevice_IsAnsweredAtOnceAndTheOthersToo()
    {
        var batcher = Batcher(4);
        var (first, _) = await OccupyAsync(batcher);
        using var gone = new CancellationTokenSource();
        var cancelled = Send(batcher, 11, gone: gone);
        var kept = Send(batcher, 12);
        first.End();
        var second = await _detector.NextRunAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        second.End();
        Assert.Equal(12, (await kept).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_PoisonedRequest_FailsAlone()
    {
        _detector.PoisonedWidths.Add(12);
        var batcher = Batcher(4);
        var (first, _) = await OccupyAsync(batcher);
        var answers = new[] { Send(batcher, 11), Send(batcher, 12), Send(batcher, 13) };
        _detector.RunsFreely = true;
        first.End();

        await Assert.ThrowsAsync<NonFiniteOutputException>(() => answers[1]);
        Assert.Equal(11, (await answers[0]).Detections[0].Score);
        Assert.Equal(13, (await answers[2]).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_RunThatFailsForOneImage_IsRetriedOneByOne()
    {
        _detector.FatalWidths.Add(12);
        var batcher = Batcher(4);
        var (first, _) = await OccupyAsync(batcher);
        var answers = new[] { Send(batcher, 11), Send(batcher, 12), Send(batcher, 13) };
        _detector.RunsFreely = true;
        first.End();

        await Assert.ThrowsAsync<ModelFailureException>(() => answers[1]);
        Assert.Equal(11, (await answers[0]).Detections[0].Score);
        Assert.Equal(13, (await answers[2]).Detections[0].Score);
        Assert.Equal([11, 12, 13], (await _detector.NextRunAsync()).Widths);
        Assert.Equal([11], (await _detector.NextRunAsync()).Widths);
        Assert.Equal([12], (await _detector.NextRunAsync()).Widths);
        Assert.Equal([13], (await _detector.NextRunAsync()).Widths);
    }

    [Fact]
    public async Task Infer_FailingModel_FailsTheRequestAndServesTheNext()
    {
        var batcher = Batcher(1);
        var failing = Send(batcher, 11);
        (await _detector.NextRunAsync()).Fail(new ModelFailureException("broken"));
        await Assert.ThrowsAsync<ModelFailureException>(() => failing);

        var next = Send(batcher, 12);
        (await _detector.NextRunAsync()).End();
        Assert.Equal(12, (await next).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_DeviceLost_AnswersSoCountsItAndLoadsTheModelAgain()
    {
        long losses = 0;
        using var listener = Listen("fpn.device.lost", value => losses += value);
        var second = new FakeDetector { RunsFreely = true };
        _reload = () => second;
        var batcher = Batcher(1);
        var lost = Send(batcher, 11);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);

        var next = await Send(batcher, 12);
        Assert.Equal(12, next.Detections[0].Score);
        Assert.Equal(1, _detector.Disposals);
        Assert.Equal(1, losses);
    }

    [Fact]
    public async Task Infer_DeviceStaysLost_AnswersSoUntilTheModelLoads()
    {
        var second = new FakeDetector { RunsFreely = true };
        var loads = 0;
        _reload = () => ++loads < 2 ? throw new InvalidOperationException("still gone") : second;
        var batcher = Batcher(1);
        var lost = Send(batcher, 11);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        await Assert.ThrowsAsync<DeviceLostException>(() => Send(batcher, 12));
        Assert.Equal(13, (await Send(batcher, 13)).Detections[0].Score);
    }

    [Fact]
    public async Task Abandon_WhileOneRunsAndOthersWait_AnswersTheWaitingAndFinishesTheRunning()
    {
        var batcher = Batcher(4);
        var (first, running) = await OccupyAsync(batcher);
        var waiting = Send(batcher, 11);
        batcher.Abandon();
        await Assert.ThrowsAsync<ShuttingDownException>(() => waiting);
        await Assert.ThrowsAsync<ShuttingDownException>(() => Send(batcher, 12));
        first.End();
        Assert.Equal(1, (await running).Detections[0].Score);
    }

    [Fact]
    public async Task Dispose_Idle_Ends() => await Batcher(4).DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancel);

    [Fact]
    public async Task Dispose_WhileOneRuns_WaitsForIt()
    {
        var batcher = Batcher(4);
        var (first, running) = await OccupyAsync(batcher);
        var ending = batcher.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        first.End();
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(1, (await running).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_AfterARun_KnowsHowFastTheModelIs()
    {
        _detector.RunsFreely = true;
        _detector.DuringRun = images => _clock.Advance(TimeSpan.FromMilliseconds(40 * images));
        var batcher = Batcher(4);
        await Send(batcher, 11);
        Assert.Equal(40, batcher.Rate.PerImage!.Value.TotalMilliseconds);
        Assert.Equal(400, batcher.Rate.TimeFor(10).TotalMilliseconds);
    }

    [Fact]
    public async Task Infer_PaddedBatch_CountsThePadding()
    {
        long fed = 0, padding = 0;
        using var pixels = Listen("fpn.batch.pixels", value => fed += value);
        using var waste = Listen("fpn.batch.padding.pixels", value => padding += value);
        _detector.RunsFreely = true;
        await Send(Batcher(4), 20, bucket: new ImageSize(32, 64));
        Assert.Equal(32 * 64, fed);
        Assert.Equal((32 * 64) - (20 * 16), padding);
    }

    private MeterListener Listen(string name, Action<long> add) => Counted.Listen(
        _services.GetRequiredService<IMeterFactory>(), name, (_, value, _, _) => add(value));

    private DynamicBatcher Batcher(int maxBatchSize, TimeSpan delay = default)
    {
        var first = true;
        var model = new ModelEntry(() =>
        {
            if (first)
            {
                first = false;
                return _detector;
            }

            return _reload!();
        });
        var metrics = new DetectionMetrics(_services.GetRequiredService<IMeterFactory>());
        var batcher = new DynamicBatcher(
            new BatchRunner(model, _device, metrics, _clock, NullLogger.Instance), maxBatchSize, new BatchingOptions { MaxQueueDelay = delay }, _clock);
        _batchers.Add(batcher);
        return batcher;
    }

    /// <summary>Puts a request on the device, so that others wait.</summary>
    private async Task<(FakeRun Run, Task<InferredImage> Answer)> OccupyAsync(DynamicBatcher batcher)
    {
        var answer = Send(batcher, 1);
        return (await _detector.NextRunAsync(), answer);
    }

    private static Task<InferredImage> Send(
        DynamicBatcher batcher, int width, RequestPriority priority = RequestPriority.Normal, ImageSize? bucket = null, CancellationTokenSource? gone = null) =>
        batcher.InferAsync(
            new DetectionRequest(default) { Priority = priority },
            Pictures.Decoded(width, 16),
            null,
            bucket ?? new ImageSize(32, 32),
            gone?.Token ?? Cancel);
}
