using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
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

/// <summary>A batcher whose clock and model do what the test says. Images are identified by their widths.</summary>
/// <param name="streams">Batches that the device runs at the same time.</param>
internal sealed class TestBatcher(int streams) : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly WorkerThreads _device = new("test device", streams);
    private DynamicBatcher? _batcher;
    private int _loads;

    public FakeClock Clock { get; } = new();

    /// <summary>The model, until its device is lost.</summary>
    public FakeDetector Detector { get; } = new();

    /// <summary>Loads the model again after its device was lost; fails unless the test says otherwise.</summary>
    public Func<IDetector> Reload { get; set; } = () => throw new InvalidOperationException("still gone");

    /// <summary>How often it was loaded again, or was tried to be.</summary>
    public int Reloads => Volatile.Read(ref _loads) - 1;

    /// <summary>The batcher, once it is started.</summary>
    public DynamicBatcher Batcher => _batcher ?? throw new InvalidOperationException("Start the batcher first.");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private IMeterFactory Meters => _services.GetRequiredService<IMeterFactory>();

    public async ValueTask DisposeAsync()
    {
        Detector.RunsFreely = true;
        if (_batcher is not null)
        {
            await _batcher.DisposeAsync();
        }

        _device.Dispose();
        await _services.DisposeAsync();
        Detector.Dispose();
    }

    public void Start(int maxBatchSize, TimeSpan maxQueueDelay = default)
    {
        var model = new ModelEntry(() => Interlocked.Increment(ref _loads) == 1 ? Detector : Reload());
        var runner = new BatchRunner(model, _device, new DetectionMetrics(Meters), Clock, NullLogger.Instance);
        var options = new BatchingOptions { MaxQueueDelay = maxQueueDelay };
        _batcher = new DynamicBatcher(runner, maxBatchSize, options, Clock);
    }

    /// <summary>Listens to a counter; the caller disposes the listener.</summary>
    public MeterListener Listen(string counter, Action<long> add) =>
        Counted.Listen(Meters, counter, (_, value, _, _) => add(value));

    /// <summary>Sends an image, 16 pixels high; its bucket is 32 x 32 unless the test names another.</summary>
    public Task<InferredImage> Send(
        int width,
        RequestPriority priority = RequestPriority.Normal,
        ImageSize? bucket = null,
        CancellationTokenSource? gone = null)
    {
        var image = new MeasuredImage(Pictures.Decoded(width, 16), Detector);
        var pending = Batcher.Create(
            new DetectionRequest(default) { Priority = priority },
            image,
            new SharedPicture(image.Decoded, lease: null),
            bucket ?? new ImageSize(32, 32),
            weight: 1);
        return Batcher.InferAsync(pending, gone?.Token ?? Cancel);
    }

    /// <summary>Puts an image on the device, so that others wait.</summary>
    public async Task<(FakeRun Run, Task<InferredImage> Answer)> OccupyAsync(int width = 1)
    {
        var answer = Send(width);
        return (await Detector.NextRunAsync(), answer);
    }

    /// <summary>Puts two images on a device of two streams, one after the other: together they would share a
    /// run.</summary>
    public async Task<(FakeRun[] Runs, Task<InferredImage>[] Answers)> OccupyBothStreamsAsync()
    {
        var (first, firstAnswer) = await OccupyAsync(11);
        var (second, secondAnswer) = await OccupyAsync(12);
        return ([first, second], [firstAnswer, secondAnswer]);
    }
}
