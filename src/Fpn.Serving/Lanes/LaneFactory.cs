using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Queue;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Lanes;

/// <summary>Measures models, warms them up, and gives each a lane on the one device.</summary>
/// <param name="device">The device that the models run on.</param>
/// <param name="options">Buckets, batch size, queue.</param>
/// <param name="metrics">Counts.</param>
/// <param name="clock">Measures.</param>
/// <param name="logger">Logs measurements; also passed to the lanes.</param>
internal sealed partial class LaneFactory(
    DeviceDescription device, BatchingOptions options, DetectionMetrics metrics, TimeProvider clock, ILogger logger)
    : IDisposable
{
    /// <summary>Between two lines of the log about a warm-up that takes long.</summary>
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(5);

    /// <summary>The device's threads, which all lanes share.</summary>
    public WorkerThreads Device { get; } = new("device", device.Streams);

    private bool ShapesAreFixed => options.FixedShapes switch
    {
        FixedShapesSetting.On => true,
        FixedShapesSetting.Off => false,
        _ => device.IsGpu,
    };

    /// <summary>Measures a model, warms it up and gives it a lane.</summary>
    /// <param name="model">Still the caller's when this fails.</param>
    /// <exception cref="InvalidOptionException">The buckets' setting is wrong.</exception>
    /// <exception cref="ModelNotServedException">The model fails on its first batch or cannot be warmed up.</exception>
    public async Task<ModelLane> CreateAsync(ModelEntry model)
    {
        try
        {
            return await TryAsync(model);
        }
        catch (DeviceLostException exception)
        {
            throw new ModelNotServedException(
                $"Model '{model.Contract.Name}': the device failed while the model was tried: {exception.Message}",
                exception);
        }
    }

    /// <summary>Frees a lane and, on a thread of the device, its model.</summary>
    public async Task FreeAsync(ModelLane lane)
    {
        await lane.DisposeAsync();
        await Device.RunAsync(() =>
        {
            lane.Model.Dispose();
            return true;
        });
    }

    /// <summary>Ends the device's threads after the work that they have been given.</summary>
    public void Dispose() => Device.Dispose();

    private async Task<ModelLane> TryAsync(ModelEntry model)
    {
        var detector = model.Detector;
        var buckets = ShapeBuckets.Create(options.Buckets, ShapesAreFixed, detector);
        var shapesAreFixed = ShapesAreFixed && detector.LargestBatch > 1 && HasSizes(buckets);
        var isMeasured = options.MaxBatchSize == 0;
        var curve = await MeasureAsync(detector, isMeasured ? options.TuningBudget : TimeSpan.Zero);
        var size = isMeasured ? BatchSizeTuner.Choose(curve) : Math.Min(options.MaxBatchSize, detector.LargestBatch);
        if (shapesAreFixed)
        {
            size = await WarmUpAsync(model, buckets, size, isMeasured);
        }

        var runner = new BatchRunner(model, Device, metrics, clock, logger);
        var batcher = new DynamicBatcher(runner, size, options, clock);
        if (curve.Count > 0)
        {
            batcher.Rate.Record(TimeSpan.FromSeconds(curve[0].Seconds), 1);
        }

        var points = curve.Select(
            point => string.Create(CultureInfo.InvariantCulture, $"{point.BatchSize}: {point.ImagesPerSecond:F1}"));
        var measured = string.Join(", ", points);
        LogReady(logger, model.Contract.Name, size, measured);
        return new ModelLane(
            model,
            batcher,
            buckets,
            isMeasured ? curve : [],
            options.QueueCapacity,
            RegularPixels(model.Contract, buckets));
    }

    /// <summary>Padded pixels of the largest image in the model's own size: what it was measured and warmed up
    /// with.</summary>
    private static long RegularPixels(ModelContract contract, ShapeBuckets buckets)
    {
        if (contract.ScalesRefusal is not null)
        {
            // Every image keeps its size.
            return int.MaxValue;
        }

        var largest = new ResizeTransform(contract.Input).PaddedSize(
            new ImageSize(contract.Input.MinSize, contract.Input.MaxSize));
        return buckets.Sizes.Select(size => size.Area).Append(largest.Area).Max();
    }

    /// <summary>Whether there are sizes to fix shapes with: without buckets there is no end of them.</summary>
    /// <exception cref="InvalidOptionException">There are no sizes, and shapes must be fixed.</exception>
    private bool HasSizes(ShapeBuckets buckets)
    {
        if (buckets.Sizes.Count == 0 && options.FixedShapes == FixedShapesSetting.On)
        {
            throw new InvalidOptionException(
                "Setting 'Fpn:Batching:FixedShapes' is 'on', which needs sizes to pad to, but 'Fpn:Batching:Buckets' "
                + "is 'off'; leave that out, or list sizes.");
        }

        return buckets.Sizes.Count > 0;
    }

    /// <summary>
    /// Warms the model up; with smaller batches where there is not enough memory, if it is ours to choose.
    /// </summary>
    /// <returns>The largest batch.</returns>
    private async Task<int> WarmUpAsync(ModelEntry model, ShapeBuckets buckets, int size, bool maySmaller)
    {
        while (true)
        {
            try
            {
                await WarmUpAsync(model, new FixedShapes(buckets.Sizes, size, model.Contract.Proposals.PostNmsTopN)
                {
                    SessionPerShape = device.SessionPerShape,
                });
                return size;
            }
            catch (ModelFailureException exception) when (maySmaller && size > 1)
            {
                LogSmaller(logger, model.Contract.Name, size, exception.Message, size / 2);
                size /= 2;
            }
            catch (ModelFailureException exception)
            {
                throw new ModelNotServedException(
                    $"Model '{model.Contract.Name}' cannot be warmed up with batches of up to {size}: "
                    + $"{exception.Message} A smaller 'Fpn:Batching:MaxBatchSize' takes less memory; "
                    + "'Fpn:Batching:FixedShapes=off' does without.",
                    exception);
            }
        }
    }

    private async Task WarmUpAsync(ModelEntry model, FixedShapes shapes)
    {
        var started = clock.GetTimestamp();
        var reported = started;
        LogWarmUp(logger, model.Contract.Name, shapes.BackboneShapes, shapes.RoiCounts.Count);
        await Device.RunAsync(() =>
        {
            model.WarmUp(shapes, done =>
            {
                if (clock.GetElapsedTime(reported) >= ProgressInterval)
                {
                    reported = clock.GetTimestamp();
                    var all = shapes.BackboneShapes + shapes.RoiCounts.Count;
                    LogWarmUpProgress(logger, model.Contract.Name, done, all);
                }
            });
            return true;
        });
        var seconds = clock.GetElapsedTime(started).TotalSeconds;
        LogWarmUpEnd(logger, model.Contract.Name, seconds);
    }

    private async Task<IReadOnlyList<BatchTiming>> MeasureAsync(IDetector detector, TimeSpan budget)
    {
        try
        {
            return await BatchSizeTuner.MeasureAsync(detector, budget, clock, batch => Device.RunAsync(() =>
            {
                using var inferred = detector.Infer(batch);
                return inferred.Select(0);
            }));
        }
        catch (Exception exception) when (exception is NonFiniteOutputException or ModelFailureException)
        {
            throw new ModelNotServedException(
                $"Model '{detector.Contract.Name}' fails on its first batch: {exception.Message}", exception);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Model {Model}: warming up {Backbone} shapes of the backbone and {Head} of the head")]
    private static partial void LogWarmUp(ILogger logger, string model, int backbone, int head);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Model {Model}: batches of up to {Size} cannot be run ({Reason}); trying {Next}")]
    private static partial void LogSmaller(ILogger logger, string model, int size, string reason, int next);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model}: {Done} of {All} shapes are warm")]
    private static partial void LogWarmUpProgress(ILogger logger, string model, int done, int all);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model}: all shapes are warm after {Seconds:F1} s")]
    private static partial void LogWarmUpEnd(ILogger logger, string model, double seconds);

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Model {Model} is warm: batches of up to {MaxBatchSize}; images/s by batch size {Curve}")]
    private static partial void LogReady(ILogger logger, string model, int maxBatchSize, string curve);
}
