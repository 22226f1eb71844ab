using System.Diagnostics;
using System.Globalization;
using Fpn.Models.Detectors;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Gpu;

/// <summary>The graphs and what lies between them on prepared batches, by batch size.</summary>
internal sealed class ThroughputSection : ISection
{
    /// <inheritdoc/>
    public string Name => "throughput";

    /// <inheritdoc/>
    public string Title => "Throughput and latency of the sessions, by batch";

    /// <summary>Where other sections find the batch with the highest throughput.</summary>
    public static string BestBatchFigure(Variant variant) => $"throughput.{variant.Key}.bestBatch";

    /// <summary>Where they find the throughput with that batch.</summary>
    public static string BestFigure(Variant variant) => $"throughput.{variant.Key}.imagesPerSecond";

    /// <summary>Where they find the throughput of one image at a time.</summary>
    public static string SingleFigure(Variant variant) => $"throughput.{variant.Key}.batch1.imagesPerSecond";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        result.Notes.Add(
            "Prepared tensors in host memory to chosen detections in host memory: uploads, both graphs, proposals"
            + " and selection are included; decoding, resizing and HTTP are not.");
        foreach (var variant in bench.Timed)
        {
            if (bench.Stop(result))
            {
                break;
            }

            Measure(bench, variant, result);
        }

        return Task.CompletedTask;
    }

    private static void Measure(Bench bench, Variant variant, SectionResult result)
    {
        using var loaded = bench.OpenWarm(variant, bench.Batches);
        loaded.KeepTimes(result);
        var detector = loaded.Detector;
        var streams = bench.DeviceOf(variant).Description.Streams;
        var table = result.AddTable(
            $"{variant.Model}, {variant.Name}, {bench.PaddedSize(variant)}; {Times(loaded)}",
            "batch", "images/s", "batch p50, ms", "batch p95, ms", "RoIs an image", "runs", "images/s with two "
            + "batches under way");
        var best = 0.0;
        foreach (var batch in bench.Batches)
        {
            if (bench.Stop(result))
            {
                return;
            }

            using var prepared = bench.Prepare(loaded, batch);
            var rois = 0.0;

            // Twice: the first run of a shape allocates and chooses algorithms, the second takes what that left behind.
            for (var run = 0; run < 2; run++)
            {
                using var inferred = detector.Infer(prepared);
                Bench.CheckPinnedRois(variant, inferred, batch, result);
                rois = Enumerable.Range(0, batch).Average(image => ((TwoStageBatch)inferred).Proposals(image).Count);
            }

            var samples = Samples.Repeat(bench.PointTime, () => Run(detector, prepared));
            var alone = result.Keep($"{variant.Key}.batch{batch}.imagesPerSecond", 1000 * batch / samples.Mean);
            result.Keep($"{variant.Key}.batch{batch}.p50Ms", samples.P50);
            double? overlapped = streams == 1 ? null : RunTwo(detector, prepared, bench.PointTime);
            result.Keep($"{variant.Key}.batch{batch}.overlappedImagesPerSecond", overlapped ?? double.NaN);
            table.Add(batch, alone, samples.P50, samples.P95, rois, samples.Count, overlapped);
            var perSecond = Math.Max(alone, overlapped ?? 0);
            if (perSecond > best)
            {
                best = perSecond;
                result.Keep($"{variant.Key}.bestBatch", batch);
                result.Keep($"{variant.Key}.imagesPerSecond", best);
            }
        }
    }

    private static string Times(LoadedVariant loaded) => string.Create(
        CultureInfo.InvariantCulture,
        $"loaded in {loaded.LoadSeconds:F1} s, warm after {loaded.WarmUpSeconds ?? 0:F1} s more");

    private static void Run(TwoStageDetector detector, PreparedBatch prepared)
    {
        using var inferred = detector.Infer(prepared);
        for (var image = 0; image < prepared.Geometries.Count; image++)
        {
            _ = inferred.Select(image);
        }
    }

    /// <summary>Two callers, so that one batch's copies and choices overlap the other's computing.</summary>
    /// <returns>Images per second of both.</returns>
    private static double RunTwo(TwoStageDetector detector, PreparedBatch prepared, TimeSpan time)
    {
        var done = 0;
        var begun = Stopwatch.GetTimestamp();
        var callers = Enumerable.Range(0, 2).Select(_ => new Thread(() =>
        {
            while (Stopwatch.GetElapsedTime(begun) < time)
            {
                Run(detector, prepared);
                Interlocked.Add(ref done, prepared.Geometries.Count);
            }
        })).ToList();
        callers.ForEach(caller => caller.Start());
        callers.ForEach(caller => caller.Join());
        return done / Stopwatch.GetElapsedTime(begun).TotalSeconds;
    }
}
