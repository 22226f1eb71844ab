using System.Diagnostics.Metrics;
using Fpn.Models.Packages;

namespace Fpn.Serving.Telemetry;

/// <summary>The instruments of the queue; <see cref="ForModel"/> creates the counters of one model.</summary>
internal sealed class DetectionMetrics
{
    /// <summary>Name of the service's one meter.</summary>
    public const string MeterName = "Fpn.Service";

    /// <summary>Name of <see cref="StageDuration"/>.</summary>
    public const string StageDurationName = "fpn.stage.duration";

    /// <summary>Name of <see cref="ExecutionDuration"/>.</summary>
    public const string ExecutionDurationName = "fpn.execution.duration";

    /// <summary>Half a millisecond (resizing a small picture) to the default deadline.</summary>
    private static readonly InstrumentAdvice<double> Durations = new()
    {
        HistogramBucketBoundaries =
            [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    /// <summary>Creates the instruments.</summary>
    public DetectionMetrics(IMeterFactory factory)
    {
        var meter = factory.Create(MeterName);
        Requests = meter.CreateCounter<long>(
            "fpn.requests", "{image}", "Images that the model was asked about, by what became of them.");
        RequestDuration = meter.CreateHistogram(
            "fpn.request.duration",
            "s",
            "From the last byte of an image to its detections; answered images only.",
            advice: Durations);
        StageDuration = meter.CreateHistogram(
            StageDurationName,
            "s",
            "Time that an image spent in a stage; stages of a batch count in full for each of its images.",
            advice: Durations);
        ImagePixels = meter.CreateHistogram(
            "fpn.image.pixels",
            "{pixel}",
            "Pixels of an answered image as it was sent.",
            advice: new InstrumentAdvice<long>
            {
                HistogramBucketBoundaries =
                [
                    10_000, 100_000, 300_000, 500_000, 1_000_000, 2_000_000, 4_000_000, 8_000_000, 12_000_000,
                    20_000_000, 40_000_000,
                ],
            });
        ImageDetections = meter.CreateHistogram(
            "fpn.image.detections",
            "{detection}",
            "Detections in an image, before the request's own filters.",
            advice: new InstrumentAdvice<int>
            {
                HistogramBucketBoundaries = [0, 1, 2, 5, 10, 20, 30, 50, 75, 100, 200, 300],
            });
        Inferences = meter.CreateCounter<long>("fpn.inferences", "{image}", "Images that went through the model.");
        Executions = meter.CreateCounter<long>(
            "fpn.executions", "{run}", "Runs of the model; the inferences over these are the mean batch.");
        ExecutionDuration = meter.CreateHistogram(
            ExecutionDurationName,
            "s",
            "Time of a run on the device, the choice of proposals included.",
            advice: Durations);
        BatchSize = meter.CreateHistogram(
            "fpn.batch.size",
            "{image}",
            "Images that shared a run.",
            advice: new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 4, 8, 16, 32, 64, 128, 256] });
        BatchPixels = meter.CreateCounter<long>(
            "fpn.batch.pixels", "{pixel}", "Pixels that were fed to the model, padding included.");
        PaddingPixels = meter.CreateCounter<long>(
            "fpn.batch.padding.pixels", "{pixel}", "Those of the batch's pixels that were padding.");
        PaddingRatio = meter.CreateHistogram(
            "fpn.batch.padding.ratio",
            "1",
            "Share of a batch's pixels that was padding.",
            advice: new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1],
            });
        DevicesLost = meter.CreateCounter<long>(
            "fpn.device.lost", "{failure}", "Failures of the device, after each of which the model was loaded again.");
    }

    /// <summary>Images by outcome and reason.</summary>
    public Counter<long> Requests { get; }

    /// <summary>Whole requests, seconds.</summary>
    public Histogram<double> RequestDuration { get; }

    /// <summary>Stages, seconds.</summary>
    public Histogram<double> StageDuration { get; }

    /// <summary>Pixels of images as sent.</summary>
    public Histogram<long> ImagePixels { get; }

    /// <summary>Detections of images.</summary>
    public Histogram<int> ImageDetections { get; }

    /// <summary>Images that were run.</summary>
    public Counter<long> Inferences { get; }

    /// <summary>Runs.</summary>
    public Counter<long> Executions { get; }

    /// <summary>Runs, seconds.</summary>
    public Histogram<double> ExecutionDuration { get; }

    /// <summary>Images of a run.</summary>
    public Histogram<int> BatchSize { get; }

    /// <summary>Pixels of runs.</summary>
    public Counter<long> BatchPixels { get; }

    /// <summary>Padding of runs, pixels.</summary>
    public Counter<long> PaddingPixels { get; }

    /// <summary>Padding of runs, 0 to 1.</summary>
    public Histogram<double> PaddingRatio { get; }

    /// <summary>Failures of the device.</summary>
    public Counter<long> DevicesLost { get; }

    /// <summary>Creates the counters of one model.</summary>
    public ModelMetrics ForModel(ModelContract contract) => new(this, contract);
}
