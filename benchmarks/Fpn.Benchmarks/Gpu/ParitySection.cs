using Fpn.Detection.Geometry;
using Fpn.Imaging.Pixels;
using Fpn.Models.Detectors;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Gpu;

/// <summary>
/// Answers as they are served, with shapes fixed and two callers at a time, against those of the float32 package on the
/// CPU and against those of one caller alone.
/// </summary>
internal sealed class ParitySection : ISection
{
    /// <summary>Shapes of the pictures that are compared; those of further shapes are left out.</summary>
    private const int MostBuckets = 2;

    /// <inheritdoc/>
    public string Name => "parity";

    /// <inheritdoc/>
    public string Title => "Parity with the CPU";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        result.Notes.Add(
            "Reference: the float32 package on the CPU, on the same pictures. Partners: same label, best overlap,"
            + " at least 0.5. Differences are the largest over all partners: boxes in pixels of the original, "
            + "scores from 0 to 1. Two callers run different pictures at the same time, in fixed shapes; of their "
            + "answers those are counted that are not bit for bit what one caller alone gets.");
        var annotated = bench.Options.Annotated is { } folder ? new AnnotatedImages(folder) : null;
        var table = result.AddTable(
            "Differences",
            "model", "variant", "images", "partners", "largest box difference, px", "the same from score 0.5 on",
            "largest score difference", "without partner", "highest score of those", "answers of two callers",
            "of them different");
        var precision = annotated is null ? null : result.AddTable(
            "Average precision on the annotated images",
            "model", "variant", "images", "AP50", "AP", "cost in AP50", "cost in AP");
        foreach (var variants in bench.Variants.GroupBy(variant => variant.Model))
        {
            if (bench.Stop(result))
            {
                break;
            }

            Measure(bench, [.. variants], annotated, new Tables(result, table, precision));
        }

        if (annotated is null)
        {
            result.Notes.Add("AP cost: not measured, no annotated images were packed.");
        }

        return Task.CompletedTask;
    }

    private static void Measure(Bench bench, Variant[] variants, AnnotatedImages? annotated, Tables tables)
    {
        // All packages of a model take the same images; the float32 one is the reference for each.
        var single = Variant.Find(bench.Options.Packages, gpu: false)
            .FirstOrDefault(variant => variant.Model == variants[0].Model && variant.Precision == "fp32");
        if (single is null)
        {
            return;
        }

        using var reference = bench.OpenReference(single);
        var (pictures, buckets) = Pictures(bench, reference, single);
        var expected = Answer(bench, reference, pictures);
        var scored = annotated is not null && annotated.Fit(single.Contract) ? annotated : null;
        var expectedScored = scored is null ? [] : Answer(bench, reference, Some(bench, scored.Images));
        if (scored is not null)
        {
            tables.AddScore(single.Model, "fp32 on the CPU", scored.Score(single.Contract, expectedScored));
        }

        foreach (var variant in variants)
        {
            if (bench.Stop(tables.Result))
            {
                break;
            }

            using var tested = bench.Open(variant);
            tested.WarmUp(buckets, [1]);
            var alone = Answer(bench, tested.Detector, pictures);
            var (answers, different) = AnswerTwice(bench, tested.Detector, pictures, alone);
            tables.AddDifferences(variant, expected, alone, answers, different);
            if (scored is not null)
            {
                var found = Answer(bench, tested.Detector, Some(bench, scored.Images));
                if (found.Count == expectedScored.Count)
                {
                    tables.AddScore(variant, scored.Score(variant.Contract, found));
                }
            }
        }
    }

    private static IReadOnlyList<byte[]> Some(Bench bench, IReadOnlyList<byte[]> images) =>
        bench.Options.Quick ? [.. images.Take(2)] : images;

    /// <summary>Lying and upright pictures by turns, then those that were packed.</summary>
    private static (IReadOnlyList<byte[]> Pictures, IReadOnlyList<ImageSize> Buckets) Pictures(
        Bench bench, TwoStageDetector detector, Variant variant)
    {
        var lying = bench.PictureSize(variant);
        var drawn = bench.Draw(lying, 3).Zip(bench.Draw(new ImageSize(lying.Width, lying.Height), 3))
            .SelectMany(pair => (byte[][])[pair.First, pair.Second]);
        var packed = bench.Options.Images is { } folder
            ? Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal).Select(File.ReadAllBytes)
            : [];
        List<byte[]> pictures = [];
        List<ImageSize> buckets = [];
        foreach (var picture in Some(bench, [.. drawn, .. packed]))
        {
            using var image = bench.Decode(picture);
            var padded = detector.Measure(image.Size).Padded;
            if (!buckets.Contains(padded))
            {
                if (buckets.Count == MostBuckets)
                {
                    continue;
                }

                buckets.Add(padded);
            }

            pictures.Add(picture);
        }

        return (pictures, buckets);
    }

    /// <returns>Detections of each picture; of the first ones only where time is up.</returns>
    private static List<DetectedObject[]> Answer(
        Bench bench, TwoStageDetector detector, IReadOnlyList<byte[]> pictures) =>
        [.. pictures.TakeWhile(_ => !bench.TimeIsUp).Select(picture => Answer(bench, detector, picture))];

    private static DetectedObject[] Answer(Bench bench, TwoStageDetector detector, byte[] picture)
    {
        using var image = bench.Decode(picture);
        using var prepared = Prepare(detector, image);
        return Answer(detector, prepared);
    }

    private static PreparedBatch Prepare(TwoStageDetector detector, DecodedImage image)
    {
        var measured = new MeasuredImage(image, detector);
        return detector.Prepare(measured.Geometry.Padded, [measured]);
    }

    private static DetectedObject[] Answer(TwoStageDetector detector, PreparedBatch prepared)
    {
        using var inferred = detector.Infer(prepared);
        return inferred.Select(0);
    }

    /// <summary>
    /// Two callers, each with every other picture, over and over; prepared beforehand, so that their runs of the graphs
    /// meet as often as can be.
    /// </summary>
    /// <returns>How many answers there were, and how many of them were not those of one caller alone.</returns>
    private static (int Answers, int Different) AnswerTwice(
        Bench bench, TwoStageDetector detector, IReadOnlyList<byte[]> pictures, List<DetectedObject[]> alone)
    {
        var batches = pictures.Take(alone.Count).Select(picture =>
        {
            using var image = bench.Decode(picture);
            return Prepare(detector, image);
        }).ToArray();
        var (rounds, answers, different) = (bench.Options.Quick ? 2 : 20, 0, 0);
        Exception? failure = null;
        try
        {
            var callers = Enumerable.Range(0, 2).Select(caller => new Thread(() => Run(caller))).ToList();
            callers.ForEach(caller => caller.Start());
            callers.ForEach(caller => caller.Join());
        }
        finally
        {
            Array.ForEach(batches, batch => batch.Dispose());
        }

        return failure is null ? (answers, different) : throw new InvalidOperationException(failure.Message, failure);

        void Run(int caller)
        {
            try
            {
                for (var round = 0; round < rounds && !bench.TimeIsUp; round++)
                {
                    for (var picture = caller; picture < batches.Length; picture += 2)
                    {
                        var isSame = Answer(detector, batches[picture]).AsSpan().SequenceEqual(alone[picture]);
                        Interlocked.Increment(ref answers);
                        Interlocked.Add(ref different, isSame ? 0 : 1);
                    }
                }
            }
#pragma warning disable CA1031 // Thrown again by the thread that waits: here it would end the process.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failure = exception;
            }
        }
    }

    /// <summary>Where the section's findings go.</summary>
    private sealed class Tables(SectionResult result, ResultTable differences, ResultTable? precision)
    {
        private (double Ap50, double Ap) _best;

        public SectionResult Result => result;

        public void AddDifferences(
            Variant variant, List<DetectedObject[]> expected, List<DetectedObject[]> actual, int answers, int different)
        {
            DetectionComparison comparison = new();
            foreach (var (reference, answer) in expected.Zip(actual))
            {
                comparison.Add(reference, answer);
            }

            result.Keep($"{variant.Key}.boxDifferencePx", comparison.LargestBoxDifference);
            result.Keep($"{variant.Key}.sureBoxDifferencePx", comparison.LargestSureBoxDifference);
            result.Keep($"{variant.Key}.scoreDifference", comparison.LargestScoreDifference);
            result.Keep($"{variant.Key}.withoutPartner", comparison.Unmatched);
            result.Keep($"{variant.Key}.answersOfTwoCallers", answers);
            result.Keep($"{variant.Key}.differentOfTwoCallers", different);
            differences.Add(
                variant.Model, variant.Name, actual.Count, comparison.Matched, comparison.LargestBoxDifference,
                comparison.LargestSureBoxDifference, comparison.LargestScoreDifference, comparison.Unmatched,
                comparison.LargestUnmatchedScore, answers, different);
        }

        /// <summary>The reference's, which the others are held against.</summary>
        public void AddScore(string model, string what, (double Ap50, double Ap, int Images) score)
        {
            _best = (score.Ap50, score.Ap);
            precision!.Add(model, what, score.Images, score.Ap50, score.Ap, null, null);
        }

        public void AddScore(Variant variant, (double Ap50, double Ap, int Images) score)
        {
            var ap50 = result.Keep($"{variant.Key}.ap50Cost", _best.Ap50 - score.Ap50);
            var ap = result.Keep($"{variant.Key}.apCost", _best.Ap - score.Ap);
            precision!.Add(variant.Model, variant.Name, score.Images, score.Ap50, score.Ap, ap50, ap);
        }
    }
}
