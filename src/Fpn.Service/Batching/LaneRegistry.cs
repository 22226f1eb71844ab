using System.Globalization;
using Fpn.Detection;
using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>A lane for every model, measured and warmed up.</summary>
internal sealed partial class LaneRegistry(
    IEnumerable<ModelEntry> models, BatchingOptions options, DetectionMetrics metrics, TimeProvider clock, ILogger<LaneRegistry> logger) : IAsyncDisposable
{
    private readonly WorkerThread _device = new("device");
    private readonly Dictionary<ModelEntry, ModelLane> _lanes = [];

    /// <summary>All lanes.</summary>
    public IEnumerable<ModelLane> Lanes => _lanes.Values;

    /// <summary>Measures and warms up every model; to be awaited before the port opens.</summary>
    /// <exception cref="Configuration.SettingsException">The buckets' setting is none.</exception>
    public async Task StartAsync()
    {
        foreach (var model in models)
        {
            _lanes.Add(model, await CreateAsync(model));
        }
    }

    /// <summary>The lane of a model.</summary>
    public ModelLane Of(ModelEntry model) => _lanes[model];

    /// <summary>Answers everything that still waits, since the service ends.</summary>
    public void Abandon()
    {
        foreach (var lane in _lanes.Values)
        {
            lane.Batcher.Abandon();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in _lanes.Values)
        {
            await lane.DisposeAsync();
        }

        _device.Dispose();
    }

    private async Task<ModelLane> CreateAsync(ModelEntry model)
    {
        var detector = model.Detector;
        var buckets = ShapeBuckets.Create(options.Buckets, onGpu: false, detector);
        var budget = options.MaxBatchSize == 0 ? options.TuningBudget : TimeSpan.Zero;
        var curve = await MeasureAsync(detector, budget);
        var size = options.MaxBatchSize == 0 ? BatchSizeTuner.Choose(curve) : Math.Min(options.MaxBatchSize, detector.LargestBatch);
        var batcher = new DynamicBatcher(new BatchRunner(model, _device, metrics, clock, logger), size, options, clock);
        if (curve.Count > 0)
        {
            batcher.Rate.Record(TimeSpan.FromSeconds(curve[0].Seconds), 1);
        }

        var measured = string.Join(", ", curve.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.BatchSize}: {point.ImagesPerSecond:F1}")));
        LogReady(logger, model.Contract.Name, size, measured);
        return new ModelLane(model, batcher, buckets, options.MaxBatchSize == 0 ? curve : [], options.QueueCapacity);
    }

    private async Task<IReadOnlyList<BatchTiming>> MeasureAsync(IDetector detector, TimeSpan budget)
    {
        try
        {
            return await BatchSizeTuner.MeasureAsync(detector, budget, clock, batch => _device.RunAsync(() =>
            {
                using var inferred = detector.Infer(batch);
                return inferred.Select(0);
            }));
        }
        catch (Exception exception) when (exception is NonFiniteOutputException or ModelFailureException)
        {
            // The model is loaded; it may do better on pictures than on noise, and if not, its requests are told why.
            LogNotMeasured(logger, detector.Contract.Name, exception.Message);
            return [];
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model} failed on its first batch: {Reason}")]
    private static partial void LogNotMeasured(ILogger logger, string model, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is warm: batches of up to {MaxBatchSize}; images/s by batch size {Curve}")]
    private static partial void LogReady(ILogger logger, string model, int maxBatchSize, string curve);
}
