using Fpn.Detection.Geometry;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;

namespace Fpn.Serving.Tests;

/// <summary>Which requests share a batch, when it leaves, and how the batcher ends.</summary>
public sealed class DynamicBatcherTests : IAsyncDisposable
{
    private readonly TestBatcher _batcher = new(streams: 1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _batcher.DisposeAsync();

    [Fact]
    public async Task Infer_FreeDevice_RunsAloneAtOnce()
    {
        _batcher.Start(4);
        var answer = _batcher.Send(10);
        var run = await _batcher.Detector.NextRunAsync();
        run.End();

        var result = await answer;
        Assert.Equal([10], run.Widths);
        Assert.Equal(1, result.BatchSize);
        Assert.Equal(10, result.Detections[0].Score);
    }

    [Fact]
    public async Task Infer_BusyDevice_CollectsOneBatchOfAllThatCame()
    {
        _batcher.Start(4);
        var (first, firstAnswer) = await _batcher.OccupyAsync();
        var answers = new[] { _batcher.Send(11), _batcher.Send(12), _batcher.Send(13) };
        first.End();

        var second = await _batcher.Detector.NextRunAsync();
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
        _batcher.Start(2);
        var (first, _) = await _batcher.OccupyAsync();
        var answers = Enumerable.Range(11, 5).Select(width => _batcher.Send(width)).ToList();
        first.End();

        foreach (var expected in new int[][] { [11, 12], [13, 14], [15] })
        {
            var run = await _batcher.Detector.NextRunAsync();
            Assert.Equal(expected, run.Widths);
            run.End();
        }

        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_MaxQueueDelay_WaitsForOthersUntilItHasPassed()
    {
        _batcher.Start(4, TimeSpan.FromMilliseconds(10));
        var answers = new List<Task<InferredImage>> { _batcher.Send(11) };
        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(9));
        answers.Add(_batcher.Send(12));
        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(1));

        var run = await _batcher.Detector.NextRunAsync();
        run.End();
        Assert.Equal([11, 12], run.Widths);
        var results = await Task.WhenAll(answers);
        Assert.All(results, result => Assert.Equal(2, result.BatchSize));
    }

    [Fact]
    public async Task Infer_FullBatch_DoesNotWaitForTheDelay()
    {
        _batcher.Start(2, TimeSpan.FromHours(1));
        var answers = new[] { _batcher.Send(11), _batcher.Send(12) };
        var run = await _batcher.Detector.NextRunAsync();
        run.End();
        Assert.Equal([11, 12], run.Widths);
        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_FullBatchOnABusyDevice_IsPreparedWhileTheOtherRuns()
    {
        _batcher.Start(2);
        var (first, running) = await _batcher.OccupyAsync();
        Assert.Equal(1, await _batcher.Detector.NextPreparedAsync());
        var answers = new[] { _batcher.Send(11), _batcher.Send(12) };

        Assert.Equal(2, await _batcher.Detector.NextPreparedAsync());
        Assert.False(running.IsCompleted);
        first.End();
        (await _batcher.Detector.NextRunAsync()).End();
        await Task.WhenAll(answers);
    }

    [Fact]
    public async Task Infer_MixedBuckets_NeverShareABatchAndTheOldestGoesFirst()
    {
        _batcher.Start(8);
        var (first, _) = await _batcher.OccupyAsync();
        var small = new ImageSize(32, 32);
        var large = new ImageSize(64, 64);
        var answers = new[]
        {
            _batcher.Send(11, bucket: small),
            _batcher.Send(12, bucket: large),
            _batcher.Send(13, bucket: small),
            _batcher.Send(14, bucket: large),
        };
        first.End();

        var second = await _batcher.Detector.NextRunAsync();
        second.End();
        var third = await _batcher.Detector.NextRunAsync();
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
        _batcher.Start(2);
        var (first, _) = await _batcher.OccupyAsync();
        var rare = _batcher.Send(99, bucket: new ImageSize(128, 128));
        var popular = Enumerable.Range(11, 6).Select(width => _batcher.Send(width)).ToList();
        first.End();

        // A full batch may have been put ahead already; the rare one is not later than second.
        var runs = new List<FakeRun>();
        for (var i = 0; i < 4; i++)
        {
            runs.Add(await _batcher.Detector.NextRunAsync());
            runs[i].End();
        }

        Assert.Contains(99, runs[0].Widths.Concat(runs[1].Widths));
        await Task.WhenAll([rare, .. popular]);
    }

    [Fact]
    public async Task Infer_HighPriority_GoesBeforeThoseThatCameEarlier()
    {
        _batcher.Start(1);
        var (first, _) = await _batcher.OccupyAsync();
        var ahead = _batcher.Send(1); // prepared while the first runs
        var low = _batcher.Send(11, RequestPriority.Low);
        var normal = _batcher.Send(12);
        var high = _batcher.Send(13, RequestPriority.High);
        first.End();

        var order = new List<int>();
        for (var i = 0; i < 4; i++)
        {
            var run = await _batcher.Detector.NextRunAsync();
            order.AddRange(run.Widths);
            run.End();
        }

        await Task.WhenAll(ahead, low, normal, high);
        Assert.True(
            order.IndexOf(13) < order.IndexOf(12) && order.IndexOf(12) < order.IndexOf(11), string.Join(", ", order));
    }

    [Fact]
    public async Task Abandon_WhileOneRunsAndOthersWait_AnswersTheWaitingAndFinishesTheRunning()
    {
        _batcher.Start(4);
        var (first, running) = await _batcher.OccupyAsync();
        var waiting = _batcher.Send(11);
        _batcher.Batcher.Abandon();
        await Assert.ThrowsAsync<ShuttingDownException>(() => waiting);
        await Assert.ThrowsAsync<ShuttingDownException>(() => _batcher.Send(12));
        first.End();
        Assert.Equal(1, (await running).Detections[0].Score);
    }

    [Fact]
    public async Task Dispose_Idle_Ends()
    {
        _batcher.Start(4);
        await _batcher.Batcher.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), Cancel);
    }

    [Fact]
    public async Task Dispose_WhileOneRuns_WaitsForIt()
    {
        _batcher.Start(4);
        var (first, running) = await _batcher.OccupyAsync();
        var ending = _batcher.Batcher.DisposeAsync().AsTask();
        Assert.False(ending.IsCompleted);
        first.End();
        await ending.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Equal(1, (await running).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_AfterARun_KnowsHowFastTheModelIs()
    {
        _batcher.Detector.RunsFreely = true;
        _batcher.Detector.DuringRun = images => _batcher.Clock.Advance(TimeSpan.FromMilliseconds(40 * images));
        _batcher.Start(4);
        await _batcher.Send(11);
        Assert.Equal(40, _batcher.Batcher.Rate.PerImage!.Value.TotalMilliseconds);
        Assert.Equal(400, _batcher.Batcher.Rate.TimeFor(10).TotalMilliseconds);
    }

    [Fact]
    public async Task Infer_PaddedBatch_CountsThePadding()
    {
        long fed = 0, padding = 0;
        using var pixels = _batcher.Listen("fpn.batch.pixels", value => fed += value);
        using var waste = _batcher.Listen("fpn.batch.padding.pixels", value => padding += value);
        _batcher.Detector.RunsFreely = true;
        _batcher.Start(4);
        await _batcher.Send(20, bucket: new ImageSize(32, 64));
        Assert.Equal(32 * 64, fed);
        Assert.Equal((32 * 64) - (20 * 16), padding);
    }
}
