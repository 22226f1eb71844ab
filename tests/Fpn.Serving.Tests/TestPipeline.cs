using System.Diagnostics.Metrics;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>Everything between a request and its answer, with a clock and a model that do what the test says. A run
/// takes 100 ms an image.</summary>
/// <remarks>Disposing asserts that nothing is left in native memory, so nothing else may decode meanwhile.</remarks>
internal sealed class TestPipeline : IAsyncDisposable
{
    /// <summary>Decoded bytes of an image of 10 by 16 pixels.</summary>
    public const long ImageBytes = 10 * 16 * 3;

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly DecoderSlots _slots = new(1);
    private DetectionPipeline? _pipeline;

    /// <param name="detector">The model; null for one of two stages.</param>
    public TestPipeline(FakeDetector? detector = null)
    {
        Detector = detector ?? new FakeDetector();
        Detector.RunsFreely = true;
        Detector.DuringRun = images => Clock.Advance(PerImage * images);
        Lanes = new LaneRegistry(
            new FakePackages(("fake", () => Reload is null ? Detector : Reload())),
            Options,
            new DetectionMetrics(Meters),
            Clock,
            NullLogger<LaneRegistry>.Instance);
    }

    /// <summary>What a run takes for each of its images.</summary>
    public static TimeSpan PerImage { get; } = TimeSpan.FromMilliseconds(100);

    public FakeClock Clock { get; } = new();

    /// <summary>The model, until its device is lost.</summary>
    public FakeDetector Detector { get; }

    /// <summary>Loads the model again after its device was lost.</summary>
    public Func<IDetector>? Reload { get; set; }

    /// <summary>To be changed before the start.</summary>
    public BatchingOptions Options { get; } =
        new() { MaxBatchSize = 1, QueueCapacity = 8, Deadline = TimeSpan.FromSeconds(30) };

    /// <summary>Room for decoded images; to be changed before the start.</summary>
    public ByteBudget Bytes { get; set; } = new(1 << 20);

    /// <summary>The most that views may cost; to be changed before the start.</summary>
    public ViewLimits Views { get; set; } = new(MaxViews: 64, MaxViewPixels: 4_000_000);

    /// <summary>The largest picture; to be changed before the start.</summary>
    public long MaxPixels { get; set; } = 10_000_000;

    public CountingCodec Codec { get; } = new(new VipsCodec());

    public LaneRegistry Lanes { get; }

    public ModelLane Lane => Lanes.Lanes[0];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    /// <summary>Whatever the test did, nothing is left behind.</summary>
    public async ValueTask DisposeAsync()
    {
        Detector.RunsFreely = true;
        var lane = Lane;
        await Lanes.DisposeAsync();
        Assert.Equal(0, lane.Admitted);
        Assert.Equal(0, Bytes.Used);
        Assert.Equal(0, Codec.OpenPages);
        Assert.Equal(0, NativeImageMemory.HeldBytes);
        _slots.Dispose();
        await _services.DisposeAsync();
    }

    /// <summary>Starts the lane, whose first run and two measured ones take 100 ms each; later runs end when the test
    /// says so.</summary>
    public async Task StartAsync()
    {
        await Lanes.StartAsync();
        Assert.Equal(PerImage, Lane.Batcher.Rate.PerImage);
        Detector.Forget();
        Detector.RunsFreely = false;
        _pipeline = new DetectionPipeline(
            new ImageDecoder(MaxPixels, Codec),
            new PictureDecoding(Bytes, _slots),
            Options,
            Views,
            Clock);
    }

    /// <summary>Listens to a counter; the caller disposes the listener.</summary>
    public MeterListener Listen(string counter, MeasurementCallback<long> record) =>
        Counted.Listen(Meters, counter, record);

    /// <summary>Detects in an image, 16 pixels high.</summary>
    public Task<Result<DetectionResult>> Send(
        int width, TimeSpan? timeout = null, CancellationTokenSource? gone = null) =>
        Send(new DetectionRequest(Pictures.Png(width, 16))
        {
            Timeout = timeout,
            Cancellation = gone?.Token ?? Cancel,
        });

    public Task<Result<DetectionResult>> Send(DetectionRequest request, ImageTurns? turns = null) =>
        (_pipeline ?? throw new InvalidOperationException("Start the lane first.")).DetectAsync(Lane, request, turns);

    /// <summary>Puts an image of 10 by 16 pixels on the device.</summary>
    public async Task<(FakeRun Run, Task<Result<DetectionResult>> Answer)> OccupyAsync()
    {
        var answer = Send(10);
        return (await Detector.NextRunAsync(), answer);
    }

    /// <summary>Ends the next run, which must be of images of these widths.</summary>
    public async Task EndNextAsync(params int[] widths)
    {
        var run = await Detector.NextRunAsync();
        Assert.Equal(widths, run.Widths);
        run.End();
    }
}
