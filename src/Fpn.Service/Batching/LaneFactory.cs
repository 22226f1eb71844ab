using System.Globalization;
using Fpn.Detection;
using Fpn.Service.Model;
using Fpn.Service.Model.Execution;

namespace Fpn.Service.Batching;

/// <summary>Measures models, warms them up, and gives each a lane on the one device.</summary>
/// <param name="options">Buckets, batch size, queue.</param>
/// <param name="metrics">Counts.</param>
/// <param name="clock">Measures.</param>
/// <param name="logger">Told what was measured; lanes tell it of their failures.</param>
internal sealed partial class LaneFactory(BatchingOptions options, DetectionMetrics metrics, TimeProvider clock, ILogger logger)
    : IDisposable
{
    /// <summary>The device's thread, which all lanes share.</summary>
    public WorkerThread Device { get; } = new("device");

    /// <summary>Measures a model, warms it up and gives it a lane.</summary>
    /// <param name="model">Still the caller's when this fails.</param>
    /// <param name="mustRun">Whether a first batch that fails is a failure.</param>
    /// <exception cref="Configuration.SettingsException">The buckets' setting is wrong.</exception>
    public async Task<ModelLane> CreateAsync(ModelEntry model, bool mustRun)
    {
        var detector = model.Detector;
        var buckets = ShapeBuckets.Create(options.Buckets, onGpu: false, detector);
        var isMeasured = options.MaxBatchSize == 0;
        var curve = await MeasureAsync(detector, isMeasured ? options.TuningBudget : TimeSpan.Zero, mustRun);
        var size = isMeasured ? BatchSizeTuner.Choose(curve) : Math.Min(options.MaxBatchSize, detector.LargestBatch);
        var batcher = new DynamicBatcher(new BatchRunner(model, Device, metrics, clock, logger), size, options, clock);
        if (curve.Count > 0)
        {
            batcher.Rate.Record(TimeSpan.FromSeconds(curve[0].Seconds), 1);
        }

        var points = curve.Select(
            point => string.Create(CultureInfo.InvariantCulture, $"{point.BatchSize}: {point.ImagesPerSecond:F1}"));
        var measured = string.Join(", ", points);
        LogReady(logger, model.Contract.Name, size, measured);
        return new ModelLane(model, batcher, buckets, isMeasured ? curve : [], options.QueueCapacity);
    }

    /// <summary>Frees a lane and, on the device's thread, its model.</summary>
    public async Task FreeAsync(ModelLane lane)
    {
        await lane.DisposeAsync();
        await Device.RunAsync(() =>
        {
            lane.Model.Dispose();
            return true;
        });
    }

    /// <summary>Ends the device's thread, after what it was handed.</summary>
    public void Dispose() => Device.Dispose();

    private async Task<IReadOnlyList<BatchTiming>> MeasureAsync(IDetector detector, TimeSpan budget, bool mustRun)
    {
        try
        {
            return await BatchSizeTuner.MeasureAsync(detector, budget, clock, batch => Device.RunAsync(() =>
            {
                using var inferred = detector.Infer(batch);
                return inferred.Select(0);
            }));
        }
        catch (Exception exception) when (!mustRun && exception is NonFiniteOutputException or ModelFailureException)
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
