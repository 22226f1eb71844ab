using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
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

/// <summary>
/// Which batch leaves while one bucket is full and the oldest request is of another. Batches of two; images are told
/// apart by their widths.
/// </summary>
public sealed class FullBucketsTests : IAsyncDisposable
{
    private static readonly ImageSize Popular = new(32, 32);
    private static readonly ImageSize Rare = new(64, 128);

    private readonly FakeClock _clock = new();
    private readonly FakeDetector _detector = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly WorkerThreads _device = new("test device", count: 1);
    private readonly List<Task> _answers = [];
    private DynamicBatcher? _batcher;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Whatever the test did, everything was answered.</summary>
    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        await Task.WhenAll(_answers).WaitAsync(TimeSpan.FromSeconds(60));
        await _batcher!.DisposeAsync();
        _device.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Infer_FreeDevice_TheFullBatchGoesAndTheOtherWaitsForItsDelay()
    {
        Start(TimeSpan.FromHours(1));
        Send(Rare, 99);
        Send(Popular, 11, 12);
        await EndNextAsync(11, 12);
        Assert.Equal(1, _batcher!.Waiting);

        _clock.Advance(TimeSpan.FromHours(1));
        await EndNextAsync(99);
    }

    [Fact]
    public async Task Infer_BusyDevice_TheFullBatchIsPreparedAndTheOtherMayStillBeJoined()
    {
        Start(TimeSpan.FromHours(1));
        Send(Popular, 1, 2);
        var first = await _detector.NextRunAsync();
        Assert.Equal(2, await _detector.NextPreparedAsync());
        Send(Rare, 99);
        Send(Popular, 11, 12);
        Assert.Equal(2, await _detector.NextPreparedAsync());
        Send(Rare, 98);

        first.End();
        Assert.Equal(["11, 12", "99, 98"], await EndNextTwoAsync());
    }

    /// <summary>The popular bucket could fill every batch from here on.</summary>
    [Fact]
    public async Task Infer_DelayPassesOnABusyDevice_NothingGoesAheadAnyMore()
    {
        Start(TimeSpan.FromMilliseconds(10));
        Send(Popular, 1, 2);
        var first = await _detector.NextRunAsync();
        Assert.Equal(2, await _detector.NextPreparedAsync());
        Send(Rare, 99);
        Send(Popular, 11, 12);
        Assert.Equal(2, await _detector.NextPreparedAsync());
        Send(Popular, 13, 14, 15, 16);
        _clock.Advance(TimeSpan.FromMilliseconds(10));

        first.End();
        await EndNextAsync(11, 12);
        Assert.Equal(["13, 14", "99"], await EndNextTwoAsync());
        await EndNextAsync(15, 16);
    }

    /// <summary>Without a delay the oldest is always due, so nothing goes ahead of it.</summary>
    [Fact]
    public async Task Infer_NoDelayAndABusyDevice_TheOldestStaysOpenUntilItIsFree()
    {
        Start(TimeSpan.Zero);
        Send(Popular, 1);
        var first = await _detector.NextRunAsync();
        Send(Rare, 99);
        Send(Popular, 11, 12);
        Send(Rare, 98);

        first.End();
        Assert.Equal(["11, 12", "99, 98"], await EndNextTwoAsync());
    }

    /// <summary>A request of high priority that has just come does not leave unfilled because a low one is due.</summary>
    [Fact]
    public async Task Infer_LowIsDueAndHighHasJustCome_LowGoesAndHighWaitsForItsDelay()
    {
        Start(TimeSpan.FromMilliseconds(10));
        Send(Rare, RequestPriority.Low, 99);
        _clock.Advance(TimeSpan.FromMilliseconds(9));
        Send(Popular, RequestPriority.High, 11);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        await EndNextAsync(99);
        Assert.Equal(1, _batcher!.Waiting);

        _clock.Advance(TimeSpan.FromMilliseconds(9));
        await EndNextAsync(11);
    }

    private void Start(TimeSpan delay)
    {
        var metrics = new DetectionMetrics(_services.GetRequiredService<IMeterFactory>());
        var runner = new BatchRunner(new ModelEntry(() => _detector), _device, metrics, _clock, NullLogger.Instance);
        _batcher = new DynamicBatcher(runner, maxBatchSize: 2, new BatchingOptions { MaxQueueDelay = delay }, _clock);
    }

    private void Send(ImageSize bucket, params ReadOnlySpan<int> widths) => Send(bucket, RequestPriority.Normal, widths);

    private void Send(ImageSize bucket, RequestPriority priority, params ReadOnlySpan<int> widths)
    {
        foreach (var width in widths)
        {
            var request = new DetectionRequest(default) { Priority = priority };
            _answers.Add(_batcher!.InferAsync(request, Pictures.Decoded(width, 16), null, bucket, Cancel));
        }
    }

    /// <summary>Two batches may have left one right after the other: they are prepared side by side, in no order.</summary>
    /// <returns>The widths of each.</returns>
    private async Task<string[]> EndNextTwoAsync()
    {
        var runs = new string[2];
        for (var i = 0; i < runs.Length; i++)
        {
            var run = await _detector.NextRunAsync();
            runs[i] = string.Join(", ", run.Widths);
            run.End();
        }

        return [.. runs.Order(StringComparer.Ordinal)];
    }

    private async Task EndNextAsync(params int[] widths)
    {
        var run = await _detector.NextRunAsync();
        Assert.Equal(widths, run.Widths);
        run.End();
    }
}
