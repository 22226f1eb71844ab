using Fpn.Detection.Imaging;
using Fpn.Service.Model;

namespace Fpn.Benchmarks.Gpu;

/// <summary>What it costs that a batch comes in another shape than the one before it, all of them warm.</summary>
/// <remarks>
/// A provider that keeps an algorithm for the last shape only would choose anew for every convolution of the backbone:
/// no counter shows that, the clock does.
/// </remarks>
internal sealed class ShapesSection : ISection
{
    /// <inheritdoc/>
    public string Name => "shapes";

    /// <inheritdoc/>
    public string Title => "Changing shapes";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        result.Notes.Add(
            "One image at a time, graphs and what lies between them, medians. \"Taking turns\" runs a lying and an upright "
            + "picture one after the other; the ratio compares it with the mean of the two alone: 1 when changing costs "
            + "nothing.");
        var table = result.AddTable(
            "Lying and upright", "model", "arithmetic", "lying alone, ms", "upright alone, ms", "taking turns, ms", "ratio");
        foreach (var variant in bench.LargestFirst)
        {
            if (bench.Stop(result))
            {
                break;
            }

            var lying = bench.PictureSize(variant);
            var upright = new ImageSize(lying.Width, lying.Height);
            using var detector = bench.Open(variant);
            using var first = Prepare(bench, detector, lying);
            using var second = Prepare(bench, detector, upright);
            if (bench.OnGpu)
            {
                var rois = variant.Contract.Proposals.PostNmsTopN;
                detector.WarmUp(new FixedShapes([first.Tensor.Size, second.Tensor.Size], 1, rois), _ => { });
            }

            var one = Time(() => Run(first));
            var other = Time(() => Run(second));
            var turns = Time(() =>
            {
                Run(first);
                Run(second);
            }) / 2;
            var ratio = result.Keep($"{variant.Key}.ratio", turns / ((one + other) / 2));
            result.Keep($"{variant.Key}.turnsMs", turns);
            table.Add(variant.Model, variant.Precision, one, other, turns, ratio);

            void Run(PreparedBatch prepared) => detector.Infer(prepared).Dispose();
        }

        return Task.CompletedTask;

        double Time(Action action)
        {
            // Twice before the clock runs: the first run of a shape allocates.
            action();
            action();
            return Samples.Repeat(bench.PointTime, action).P50;
        }
    }

    private static PreparedBatch Prepare(Bench bench, TwoStageDetector detector, ImageSize size)
    {
        using var image = bench.Decode(bench.Draw(size, 1)[0]);
        return detector.Prepare(detector.Measure(size).Padded, [image]);
    }
}
