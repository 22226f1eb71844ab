using Fpn.Service.Model;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Answers of each arithmetic against those of the float32 package on the CPU.</summary>
internal sealed class ParitySection : ISection
{
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
            + "scores from 0 to 1.");
        var annotated = bench.Options.Annotated is { } folder ? new AnnotatedImages(folder) : null;
        var table = result.AddTable(
            "Differences",
            "model", "arithmetic", "images", "partners", "largest box difference, px", "the same from score 0.5 on",
            "largest score difference", "without partner", "highest score of those");
        var precision = annotated is null ? null : result.AddTable(
            "Average precision on the annotated images",
            "model", "arithmetic", "images", "AP50", "AP", "cost in AP50", "cost in AP");
        foreach (var variants in bench.Variants.GroupBy(variant => variant.Model))
        {
            var reference = variants.FirstOrDefault(variant => variant.Precision == "fp32");
            if (reference is null || bench.Stop(result))
            {
                continue;
            }

            using var detector = bench.OpenReference(reference);
            var pictures = Pictures(bench, reference);
            var expected = Answer(bench, detector, pictures);
            var scored = annotated is not null && annotated.Fit(reference.Contract) ? annotated : null;
            var expectedScored = scored is null ? [] : Answer(bench, detector, Some(bench, scored.Images));
            var best = scored is null ? default : Score(scored, reference, expectedScored, "cpu fp32");
            foreach (var variant in variants)
            {
                if (bench.Stop(result))
                {
                    break;
                }

                using var tested = bench.Open(variant);
                Compare(variant, expected, Answer(bench, tested, pictures));
                if (scored is null)
                {
                    continue;
                }

                var answers = Answer(bench, tested, Some(bench, scored.Images));
                if (answers.Count == expectedScored.Count)
                {
                    var (ap50, ap) = Score(scored, variant, answers, variant.Precision, best);
                    result.Keep($"{variant.Key}.ap50Cost", best.Ap50 - ap50);
                    result.Keep($"{variant.Key}.apCost", best.Ap - ap);
                }
                else
                {
                    bench.Stop(result);
                }
            }
        }

        if (annotated is null)
        {
            result.Notes.Add("AP cost: not measured, no annotated images were packed.");
        }

        return Task.CompletedTask;

        void Compare(Variant variant, List<DetectedObject[]> expected, List<DetectedObject[]> actual)
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
            table.Add(
                variant.Model, variant.Precision, actual.Count, comparison.Matched, comparison.LargestBoxDifference,
                comparison.LargestSureBoxDifference, comparison.LargestScoreDifference, comparison.Unmatched,
                comparison.LargestUnmatchedScore);
        }

        (double Ap50, double Ap) Score(
            AnnotatedImages images,
            Variant variant,
            List<DetectedObject[]> answers,
            string arithmetic,
            (double Ap50, double Ap)? best = null)
        {
            var score = images.Score(variant.Contract, answers);
            precision!.Add(
                variant.Model, arithmetic, answers.Count, score.Ap50, score.Ap,
                best?.Ap50 - score.Ap50, best?.Ap - score.Ap);
            return score;
        }
    }

    private static IReadOnlyList<byte[]> Some(Bench bench, IReadOnlyList<byte[]> images) =>
        bench.Options.Quick ? [.. images.Take(1)] : images;

    private static List<byte[]> Pictures(Bench bench, Variant variant)
    {
        List<byte[]> pictures = [];
        if (bench.Options.Images is { } folder)
        {
            var files = Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal);
            pictures.AddRange(files.Select(File.ReadAllBytes));
        }

        pictures.AddRange(bench.Draw(bench.PictureSize(variant), 4));
        pictures.AddRange(bench.DrawMixed(4));
        return [.. Some(bench, pictures)];
    }

    /// <returns>Detections of each picture; of the first ones only where time is up.</returns>
    private static List<DetectedObject[]> Answer(Bench bench, TwoStageDetector detector, IReadOnlyList<byte[]> pictures)
    {
        List<DetectedObject[]> answers = [];
        foreach (var picture in pictures.TakeWhile(_ => !bench.TimeIsUp))
        {
            using var image = bench.Decode(picture);
            using var prepared = detector.Prepare(detector.Measure(image.Size).Padded, [image]);
            using var inferred = detector.Infer(prepared);
            answers.Add(inferred.Select(0));
        }

        return answers;
    }
}
