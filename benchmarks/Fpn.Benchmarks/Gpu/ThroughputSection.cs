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

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        result.Notes.Add(
            "Prepared tensors in host memory to chosen detections in host memory: uploads, both graphs, proposals and selection are included; "
            + "decoding, resizing and HTTP are not.");
        foreach (var variant in bench.LargestFirst)
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
        using var detector = bench.Open(variant);
        var padded = detector.Measure(bench.PictureSize(variant)).Padded;
        var table = result.AddTable(
            $"{variant.Model}, {variant.Precision}, {padded}", "batch", "images/s", "batch p50, ms", "batch p95, ms", "RoIs an image", "runs");
        var (bestBatch, best) = (0, 0.0);
        foreach (var batch in bench.Batches)
        {
            if (bench.Stop(result))
            {
                return;
            }

            using var prepared = bench.Prepare(detector, variant, batch);
            var rois = 0.0;

            // Twice: the first run of a shape allocates and chooses algorithms, the second takes what that left behind.
            for (var run = 0; run < 2; run++)
            {
                using var inferred = detector.Infer(prepared);
                Bench.RequirePinnedRois(variant, inferred, batch);
                rois = Enumerable.Range(0, batch).Average(image => ((Service.Model.TwoStageBatch)inferred).Proposals(image).Count);
            }

            var samples = Samples.Repeat(bench.PointTime, () =>
            {
                using var inferred = detector.Infer(prepared);
                for (var image = 0; image < batch; image++)
                {
                    _ = inferred.Select(image);
                }
            });
            var perSecond = result.Keep($"{variant.Key}.batch{batch}.imagesPerSecond", 1000 * batch / samples.Mean);
            result.Keep($"{variant.Key}.batch{batch}.p50Ms", samples.P50);
            table.Add(batch, perSecond, samples.P50, samples.P95, rois, samples.Count);
            if (perSecond > best)
            {
                (bestBatch, best) = (batch, perSecond);
                result.Keep($"{variant.Key}.bestBatch", bestBatch);
                result.Keep($"{variant.Key}.imagesPerSecond", best);
            }
        }
    }
}
