using Fpn.Detection.Geometry;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Tests;

/// <summary>
/// Which batch leaves while one bucket is full and the oldest request is of another. Batches of two; images are
/// identified by their widths.
/// </summary>
public sealed class FullBucketsTests : IAsyncDisposable
{
    private static readonly ImageSize Popular = new(32, 32);
    private static readonly ImageSize Rare = new(64, 128);

    private readonly TestBatcher _batcher = new(streams: 1);
    private readonly List<Task> _answers = [];

    /// <summary>Whatever the test did, everything was answered.</summary>
    public async ValueTask DisposeAsync()
    {
        _batcher.Detector.RunsFreely = true;
        await Task.WhenAll(_answers).WaitAsync(TimeSpan.FromSeconds(60));
        await _batcher.DisposeAsync();
    }

    [Fact]
    public async Task Infer_FreeDevice_TheFullBatchGoesAndTheOtherWaitsForItsDelay()
    {
        _batcher.Start(maxBatchSize: 2, TimeSpan.FromHours(1));
        Send(Rare, 99);
        Send(Popular, 11, 12);
        await EndNextAsync(11, 12);
        Assert.Equal(1, _batcher.Batcher.Waiting);

        _batcher.Clock.Advance(TimeSpan.FromHours(1));
        await EndNextAsync(99);
    }

    [Fact]
    public async Task Infer_BusyDevice_TheFullBatchIsPreparedAndTheOtherMayStillBeJoined()
    {
        _batcher.Start(maxBatchSize: 2, TimeSpan.FromHours(1));
        Send(Popular, 1, 2);
        var first = await _batcher.Detector.NextRunAsync();
        Assert.Equal(2, await _batcher.Detector.NextPreparedAsync());
        Send(Rare, 99);
        Send(Popular, 11, 12);
        Assert.Equal(2, await _batcher.Detector.NextPreparedAsync());
        Send(Rare, 98);

        first.End();
        Assert.Equal(["11, 12", "99, 98"], await EndNextTwoAsync());
    }

    /// <summary>The popular bucket could fill every batch from here on.</summary>
    [Fact]
    public async Task Infer_DelayPassesOnABusyDevice_NothingGoesAheadAnyMore()
    {
        _batcher.Start(maxBatchSize: 2, TimeSpan.FromMilliseconds(10));
        Send(Popular, 1, 2);
        var first = await _batcher.Detector.NextRunAsync();
        Assert.Equal(2, await _batcher.Detector.NextPreparedAsync());
        Send(Rare, 99);
        Send(Popular, 11, 12);
        Assert.Equal(2, await _batcher.Detector.NextPreparedAsync());
        Send(Popular, 13, 14, 15, 16);
        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(10));

        first.End();
        await EndNextAsync(11, 12);
        Assert.Equal(["13, 14", "99"], await EndNextTwoAsync());
        await EndNextAsync(15, 16);
    }

    /// <summary>Without a delay the oldest is always due, so nothing goes ahead of it.</summary>
    [Fact]
    public async Task Infer_NoDelayAndABusyDevice_TheOldestStaysOpenUntilItIsFree()
    {
        _batcher.Start(maxBatchSize: 2, TimeSpan.Zero);
        Send(Popular, 1);
        var first = await _batcher.Detector.NextRunAsync();
        Send(Rare, 99);
        Send(Popular, 11, 12);
        Send(Rare, 98);

        first.End();
        Assert.Equal(["11, 12", "99, 98"], await EndNextTwoAsync());
    }

    /// <summary>A request of high priority that has just come does not leave unfilled because a low one is
    /// due.</summary>
    [Fact]
    public async Task Infer_LowIsDueAndHighHasJustCome_LowGoesAndHighWaitsForItsDelay()
    {
        _batcher.Start(maxBatchSize: 2, TimeSpan.FromMilliseconds(10));
        Send(Rare, RequestPriority.Low, 99);
        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(9));
        Send(Popular, RequestPriority.High, 11);
        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(1));
        await EndNextAsync(99);
        Assert.Equal(1, _batcher.Batcher.Waiting);

        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(9));
        await EndNextAsync(11);
    }

    private void Send(ImageSize bucket, params ReadOnlySpan<int> widths) =>
        Send(bucket, RequestPriority.Normal, widths);

    private void Send(ImageSize bucket, RequestPriority priority, params ReadOnlySpan<int> widths)
    {
        foreach (var width in widths)
        {
            _answers.Add(_batcher.Send(width, priority, bucket));
        }
    }

    /// <summary>Ends the next two runs. Batches that leave one right after the other are prepared side by side, in no
    /// order.</summary>
    /// <returns>The widths of each.</returns>
    private async Task<string[]> EndNextTwoAsync()
    {
        var runs = new string[2];
        for (var i = 0; i < runs.Length; i++)
        {
            var run = await _batcher.Detector.NextRunAsync();
            runs[i] = string.Join(", ", run.Widths);
            run.End();
        }

        return [.. runs.Order(StringComparer.Ordinal)];
    }

    private async Task EndNextAsync(params int[] widths)
    {
        var run = await _batcher.Detector.NextRunAsync();
        Assert.Equal(widths, run.Widths);
        run.End();
    }
}
