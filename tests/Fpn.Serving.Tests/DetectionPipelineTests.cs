using System.Diagnostics.Metrics;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>
/// Admission, deadlines, memory and departures, with a clock and a model that do what the test says. A run takes 100 ms
/// an image. Nothing else decodes meanwhile: what a test leaves in native memory is counted.
/// </summary>
[Collection(Alone.Collection)]
public sealed class DetectionPipelineTests : IAsyncDisposable
{
    /// <summary>Decoded bytes of an image of 10 by 16 pixels.</summary>
    private const long ImageBytes = 10 * 16 * 3;

    private static readonly TimeSpan PerImage = TimeSpan.FromMilliseconds(100);

    private readonly FakeClock _clock = new();
    private readonly FakeDetector _detector = new() { RunsFreely = true };
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly BatchingOptions _options = new() { MaxBatchSize = 1, QueueCapacity = 8, Deadline = TimeSpan.FromSeconds(30) };
    private readonly LaneRegistry _lanes;
    private ByteBudget _bytes = new(1 << 20);
    private readonly CountingCodec _codec = new(new VipsCodec());
    private readonly DecoderSlots _slots = new(new ExecutionOptions { Threads = 1 });
    private DetectionPipeline? _pipeline;
    private Func<IDetector>? _reload;

    public DetectionPipelineTests()
    {
        _detector.DuringRun = images => _clock.Advance(PerImage * images);
        var packages = new FakePackages(("fake", () => _reload is null ? _detector : _reload()));
        _lanes = new LaneRegistry(
            packages, _options, new DetectionMetrics(_services.GetRequiredService<IMeterFactory>()), _clock, NullLogger<LaneRegistry>.Instance);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ModelLane Lane => _lanes.Lanes[0];

    /// <summary>Whatever the test did, nothing is left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        var lane = Lane;
        await _lanes.DisposeAsync();
        Assert.Equal(0, lane.Admitted);
        Assert.Equal(0, _bytes.Used);
        Assert.Equal(0, NativeImageMemory.HeldBytes);
        _slots.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Detect_FreeDevice_AnswersWithTimesThatAddUp()
    {
        await StartAsync();
        _detector.RunsFreely = true;
        var result = await Send(10);
        Assert.Null(result.Failure);
        Assert.Equal(10, Assert.Single(result.Detections).Score);
        Assert.Equal((16, 10, 1), (result.Size.Height, result.Size.Width, result.BatchSize));
        Assert.Equal(PerImage, result.Times.Inference);
        Assert.Equal(result.Times.Total, result.Times.Decode + result.Times.Preprocess + result.Times.Queue + result.Times.Inference + result.Times.Postprocess);
    }

    /// <summary>One on the device and one that waits are all there may be; the two take 200 ms.</summary>
    [Fact]
    public async Task Detect_QueueFull_IsRefusedAtOnceWithTheTimeThatThoseAheadTake()
    {
        _options.QueueCapacity = 1;
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11);
        var third = await Send(12);
        Assert.Equal(DetectionFailure.QueueFull, third.Failure);
        Assert.Equal(TimeSpan.FromMilliseconds(200), third.RetryAfter);
        Assert.Equal(2, Lane.Admitted);

        run.End();
        Assert.Null((await first).Failure);
        await EndNextAsync(11);
        Assert.Null((await second).Failure);
        Assert.Equal(0, Lane.Admitted);
    }

    [Fact]
    public async Task Detect_Images_HaveTheirHeadersReadOnce()
    {
        await StartAsync();
        var (run, first) = await OccupyAsync();
        run.End();
        Assert.Null((await first).Failure);

        Assert.Equal((1, 1, 0), (_codec.Opened, _codec.Decoded, _codec.Open));
    }

    [Fact]
    public async Task Detect_ImageThatWaitsForMemory_HoldsNothingOfTheCodec()
    {
        _bytes = new ByteBudget(ImageBytes);
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11);
        Assert.Equal((2, 1, 0), (_codec.Opened, _codec.Decoded, _codec.Open));

        run.End();
        Assert.Null((await first).Failure);
        await EndNextAsync(11);
        Assert.Null((await second).Failure);
        Assert.Equal((2, 0), (_codec.Decoded, _codec.Open));
    }

    [Fact]
    public async Task Detect_BadImages_LeaveTheQueueAtOnce()
    {
        _options.QueueCapacity = 1;
        await StartAsync();
        for (var i = 0; i < 5; i++)
        {
            var result = await _pipeline!.DetectAsync(Lane, "not an image"u8.ToArray(), RequestPriority.Normal, null, Cancel);
            Assert.Equal(DetectionFailure.UnsupportedFormat, result.Failure);
            result = await _pipeline.DetectAsync(Lane, Pictures.Png(10, 16).AsMemory(0, 45), RequestPriority.Normal, null, Cancel);
            Assert.Equal(DetectionFailure.Undecodable, result.Failure);
            result = await _pipeline.DetectAsync(Lane, Pictures.Png(4000, 4000), RequestPriority.Normal, null, Cancel);
            Assert.Equal(DetectionFailure.TooManyPixels, result.Failure);
        }

        Assert.Equal((0, 0L), (Lane.Admitted, _bytes.Used));
    }

    [Fact]
    public async Task Detect_DeadlinePassesWhileQueued_IsAnsweredAndNotComputed()
    {
        _options.MaxBatchSize = 4;
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11, timeout: TimeSpan.FromSeconds(1));
        var third = Send(12);
        await Eventually.TrueAsync(() => Lane.Batcher.Waiting == 2);
        _clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(second.IsCompleted);
        _clock.Advance(TimeSpan.FromMilliseconds(1));
        var late = await second;
        Assert.Equal(DetectionFailure.DeadlinePassed, late.Failure);
        Assert.Contains("1000 ms passed", late.FailureDetail, StringComparison.Ordinal);
        Assert.Equal(1, Lane.Batcher.Waiting);

        run.End();
        await EndNextAsync(12);
        Assert.Null((await first).Failure);
        Assert.Null((await third).Failure);
    }

    [Fact]
    public async Task Detect_DeadlinePassesOnTheDevice_IsAnsweredWithoutWaitingForIt()
    {
        await StartAsync();
        var (run, first) = await OccupyAsync();
        _clock.Advance(_options.Deadline);
        Assert.Equal(DetectionFailure.DeadlinePassed, (await first).Failure);
        Assert.Equal(ImageBytes, _bytes.Used);
        run.End();
        await Eventually.TrueAsync(() => _bytes.Used == 0);
    }

    [Fact]
    public async Task Detect_DeadlineCannotBeMet_IsRefusedAtOnceAndNotDecoded()
    {
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var refused = Send(11, timeout: TimeSpan.FromMilliseconds(199));
        Assert.True(refused.IsCompleted);
        var result = await refused;
        Assert.Equal(DetectionFailure.DeadlinePassed, result.Failure);
        Assert.Contains("199 ms cannot be met", result.FailureDetail, StringComparison.Ordinal);
        Assert.Contains("200 ms", result.FailureDetail, StringComparison.Ordinal);
        Assert.Equal((1, ImageBytes), (Lane.Admitted, _bytes.Used));

        var inTime = Send(12, timeout: TimeSpan.FromMilliseconds(201));
        run.End();
        Assert.Null((await first).Failure);
        await EndNextAsync(12);
        Assert.Null((await inTime).Failure);
    }

    /// <summary>A stall of minutes must not have every later request refused by its look: only a run can correct the estimate.</summary>
    [Fact]
    public async Task Detect_IdleAfterAStall_RunsWhateverTheEstimateSays()
    {
        await StartAsync();
        _detector.RunsFreely = true;
        var stalled = true;
        _detector.DuringRun = images => _clock.Advance(stalled ? TimeSpan.FromHours(1) : PerImage);
        Assert.Equal(DetectionFailure.DeadlinePassed, (await Send(10)).Failure);
        await Eventually.TrueAsync(() => Lane.Batcher.Rate.TimeFor(1) > _options.Deadline);
        stalled = false;
        Assert.Null((await Send(11)).Failure);
    }

    [Fact]
    public async Task Detect_TimeoutLongerThanTheDeadline_DoesNotLengthenIt()
    {
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11, timeout: TimeSpan.FromHours(1));
        _clock.Advance(_options.Deadline);
        Assert.Equal(DetectionFailure.DeadlinePassed, (await second).Failure);
        Assert.Equal(DetectionFailure.DeadlinePassed, (await first).Failure);
        run.End();
    }

    [Fact]
    public async Task Detect_NoRoomForThePixels_WaitsBeforeDecoding()
    {
        _bytes = new ByteBudget(ImageBytes);
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11);
        Assert.Equal(ImageBytes, _bytes.Used);
        Assert.Equal(ImageBytes, NativeImageMemory.HeldBytes);
        Assert.Equal(0, Lane.Batcher.Waiting);

        run.End();
        Assert.Null((await first).Failure);
        var next = await _detector.NextRunAsync();
        Assert.Equal(11 * 16 * 3, _bytes.Used);
        next.End();
        Assert.Null((await second).Failure);
    }

    [Fact]
    public async Task Detect_DeadlinePassesWhileWaitingForMemory_IsAnswered()
    {
        _bytes = new ByteBudget(ImageBytes);
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11, timeout: TimeSpan.FromSeconds(1));
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(DetectionFailure.DeadlinePassed, (await second).Failure);
        Assert.Equal(1, Lane.Admitted);
        run.End();
        Assert.Null((await first).Failure);
    }

    [Fact]
    public async Task Detect_CallerLeavesWhileWaitingForMemory_TakesNothing()
    {
        _bytes = new ByteBudget(ImageBytes);
        await StartAsync();
        var (run, first) = await OccupyAsync();
        using var gone = new CancellationTokenSource();
        var second = Send(11, gone: gone);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal((1, ImageBytes), (Lane.Admitted, _bytes.Used));
        run.End();
        Assert.Null((await first).Failure);
    }

    [Fact]
    public async Task Detect_CallerLeftBeforeDecoding_TakesNothing()
    {
        await StartAsync();
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Send(11, gone: gone));
        Assert.Equal((0, 0L, 0L), (Lane.Admitted, _bytes.Used, NativeImageMemory.HeldBytes));
    }

    [Fact]
    public async Task Detect_CallerLeavesTheQueue_FreesItsPictureAtOnce()
    {
        _options.MaxBatchSize = 4;
        await StartAsync();
        var (run, first) = await OccupyAsync();
        using var gone = new CancellationTokenSource();
        var second = Send(11, gone: gone);
        await Eventually.TrueAsync(() => Lane.Batcher.Waiting == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        Assert.Equal((1, ImageBytes, ImageBytes), (Lane.Admitted, _bytes.Used, NativeImageMemory.HeldBytes));
        run.End();
        Assert.Null((await first).Failure);
    }

    [Fact]
    public async Task Detect_CallerLeavesTheDevice_FreesItsPictureAfterTheRun()
    {
        await StartAsync();
        using var gone = new CancellationTokenSource();
        var answer = Send(10, gone: gone);
        var run = await _detector.NextRunAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal((0, ImageBytes), (Lane.Admitted, _bytes.Used));
        run.End();
        await Eventually.TrueAsync(() => _bytes.Used == 0 && NativeImageMemory.HeldBytes == 0);
    }

    [Fact]
    public async Task Detect_Abandoned_IsAnsweredShuttingDown()
    {
        _options.MaxBatchSize = 4;
        await StartAsync();
        var (run, first) = await OccupyAsync();
        var second = Send(11);
        await Eventually.TrueAsync(() => Lane.Batcher.Waiting == 1);
        _lanes.Abandon();
        Assert.Equal(DetectionFailure.ShuttingDown, (await second).Failure);
        Assert.Equal(DetectionFailure.ShuttingDown, (await Send(12)).Failure);
        run.End();
        Assert.Null((await first).Failure);
    }

    /// <summary>The first try to load the model again fails too; the pictures' sizes must be known all the same.</summary>
    [Fact]
    public async Task Detect_DeviceStaysLostForAWhile_AnswersSoAndComesBack()
    {
        await StartAsync();
        using var second = new FakeDetector { RunsFreely = true };
        var loads = 0;
        _reload = () => ++loads < 2 ? throw new InvalidOperationException("still gone") : second;
        var lost = Send(10);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        Assert.Equal(DetectionFailure.DeviceLost, (await lost).Failure);
        Assert.True(Lane.Model.IsLost);
        Assert.Equal(DetectionFailure.DeviceLost, (await Send(11)).Failure);
        Assert.False(Lane.Model.IsLost);
        Assert.Null((await Send(12)).Failure);
    }

    /// <summary>A load balancer sends nothing to a service that is not ready: it must come back by itself.</summary>
    [Fact]
    public async Task Detect_DeviceStaysLostWithoutRequests_ComesBackByItself()
    {
        await StartAsync();
        using var second = new FakeDetector { RunsFreely = true };
        var loads = 0;
        _reload = () => Interlocked.Increment(ref loads) < 3 ? throw new InvalidOperationException("still gone") : second;
        var lost = Send(10);
        (await _detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        Assert.Equal(DetectionFailure.DeviceLost, (await lost).Failure);
        await Eventually.TrueAsync(() =>
        {
            _clock.Advance(TimeSpan.FromSeconds(1));
            return !Lane.Model.IsLost;
        });
        Assert.Equal(3, loads);
        Assert.Null((await Send(11)).Failure);
    }

    [Fact]
    public async Task Detect_ModelFails_ThrowsAndLeavesNothing()
    {
        await StartAsync();
        var failing = Send(10);
        (await _detector.NextRunAsync()).Fail(new ModelFailureException("broken"));
        await Assert.ThrowsAsync<ModelFailureException>(() => failing);
        Assert.Equal(0, Lane.Admitted);
    }

    /// <summary>Starts the lane, whose first run and two measured ones take 100 ms each; later runs end when the test says so.</summary>
    private async Task StartAsync()
    {
        await _lanes.StartAsync();
        Assert.Equal(PerImage, Lane.Batcher.Rate.PerImage);
        for (var run = 0; run < 3; run++)
        {
            await _detector.NextRunAsync();
        }

        _detector.RunsFreely = false;
        _pipeline = new DetectionPipeline(new ImageDecoder(10_000_000, _codec), _bytes, _options, _slots, _clock);
    }

    private Task<DetectionResult> Send(int width, TimeSpan? timeout = null, CancellationTokenSource? gone = null) =>
        _pipeline!.DetectAsync(Lane, Pictures.Png(width, 16), RequestPriority.Normal, timeout, gone?.Token ?? Cancel);

    /// <summary>Puts an image of 10 by 16 pixels on the device.</summary>
    private async Task<(FakeRun Run, Task<DetectionResult> Answer)> OccupyAsync()
    {
        var answer = Send(10);
        return (await _detector.NextRunAsync(), answer);
    }

    private async Task EndNextAsync(params int[] widths)
    {
        var run = await _detector.NextRunAsync();
        Assert.Equal(widths, run.Widths);
        run.End();
    }
}
