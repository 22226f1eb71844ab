using System.Diagnostics;
using Fpn.Imaging.Pixels;
using Fpn.Models.Detectors;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Gpu;

/// <summary>
/// Where the time of a batch goes, from the file's bytes to the detections, one stage after the other.
/// </summary>
internal sealed class StagesSection : ISection
{
    private static readonly string[] Stages = ["decode", "preprocess", "backbone", "proposals", "head", "select"];

    /// <inheritdoc/>
    public string Name => "stages";

    /// <inheritdoc/>
    public string Title => "Stage times";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        result.Notes.Add(
            "Milliseconds of the whole batch (median), stages one after the other. Decoding and selecting run on "
            + "one thread here, in the service on several; the backbone includes the upload of its images, and "
            + "whatever comes down with its outputs.");
        foreach (var variant in bench.BestLayouts(ThroughputSection.BestFigure))
        {
            if (bench.Stop(result))
            {
                break;
            }

            int[] batches = bench.Options.Quick ? [1] : [1, 8];
            using var loaded = bench.OpenWarm(variant, batches);
            var table = result.AddTable($"{variant.Model}, {variant.Name}", ["batch", .. Stages, "sum"]);
            foreach (var batch in batches)
            {
                var encoded = bench.Draw(bench.PictureSize(variant), batch);
                RunOnce(bench, loaded.Detector, encoded);
                RunOnce(bench, loaded.Detector, encoded);
                var times = Stages.Select(_ => new List<double>()).ToArray();
                Samples.Repeat(bench.PointTime, () =>
                {
                    foreach (var (stage, time) in RunOnce(bench, loaded.Detector, encoded).Index())
                    {
                        times[stage].Add(time);
                    }
                });
                var medians = times.Select(list => new Samples(list).P50).ToArray();
                foreach (var (stage, median) in medians.Index())
                {
                    result.Keep($"{variant.ArithmeticKey}.batch{batch}.{Stages[stage]}Ms", median);
                }

                table.Add([batch, .. medians.Cast<object?>(), medians.Sum()]);
            }
        }

        return Task.CompletedTask;
    }

    /// <returns>Milliseconds of each stage.</returns>
    private static double[] RunOnce(Bench bench, TwoStageDetector detector, byte[][] encoded)
    {
        var images = new DecodedImage[encoded.Length];
        var begun = Stopwatch.GetTimestamp();
        for (var i = 0; i < images.Length; i++)
        {
            images[i] = bench.Decode(encoded[i]);
        }

        try
        {
            var decoded = Stopwatch.GetTimestamp();
            var measured = Array.ConvertAll(images, image => new MeasuredImage(image, detector));
            using var prepared = detector.Prepare(measured[0].Geometry.Padded, measured);
            var preprocessed = Stopwatch.GetTimestamp();
            using var inferred = detector.Infer(prepared);
            var selecting = Stopwatch.GetTimestamp();
            for (var i = 0; i < images.Length; i++)
            {
                _ = inferred.Select(i);
            }

            var times = inferred.Times;
            return
            [
                Stopwatch.GetElapsedTime(begun, decoded).TotalMilliseconds,
                Stopwatch.GetElapsedTime(decoded, preprocessed).TotalMilliseconds,
                times.Backbone.TotalMilliseconds,
                times.Proposals?.TotalMilliseconds ?? 0,
                times.Head?.TotalMilliseconds ?? 0,
                Stopwatch.GetElapsedTime(selecting).TotalMilliseconds,
            ];
        }
        finally
        {
            Array.ForEach(images, image => image.Dispose());
        }
    }
}
