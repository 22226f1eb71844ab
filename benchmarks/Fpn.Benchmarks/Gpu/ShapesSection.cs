using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;

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
            "Graphs and what lies between them, medians of a batch. \"Taking turns\" runs a lying and an upright batch "
            + "one after the other; the ratio compares it with the mean of the two alone: 1 when changing costs "
            + "nothing. "
            + "A session for each shape is what is served on a GPU; one for all shows what that spares.");
        var table = result.AddTable(
            "Lying and upright",
            "model", "variant", "sessions", "batch", "lying alone, ms", "upright alone, ms", "taking turns, ms",
            "ratio");
        var variants = bench.BestLayouts(ThroughputSection.BestFigure);
        Measure(bench, variants[0], sessionPerShape: bench.OnGpu, result, table);
        if (bench.OnGpu)
        {
            Measure(bench, variants[0], sessionPerShape: false, result, table);
        }

        foreach (var variant in variants.Skip(1))
        {
            Measure(bench, variant, sessionPerShape: bench.OnGpu, result, table);
        }

        return Task.CompletedTask;
    }

    private static void Measure(
        Bench bench, Variant variant, bool sessionPerShape, SectionResult result, ResultTable table)
    {
        if (bench.Stop(result))
        {
            return;
        }

        var lying = bench.PictureSize(variant);
        var upright = new ImageSize(lying.Width, lying.Height);
        var padded = bench.PaddedSize(variant);
        int[] batches = bench.Options.Quick ? [1] : [1, 8];
        using var loaded = bench.Open(variant);
        if (bench.OnGpu)
        {
            loaded.WarmUp([padded, new ImageSize(padded.Width, padded.Height)], batches, sessionPerShape);
        }

        var (sessions, figure) = sessionPerShape ? ("one for each", "own") : ("one for all", "shared");
        foreach (var batch in batches)
        {
            if (bench.Stop(result))
            {
                return;
            }

            using var first = bench.Prepare(loaded, batch, lying);
            using var second = bench.Prepare(loaded, batch, upright);
            var one = Time(() => Run(first));
            var other = Time(() => Run(second));
            var turns = Time(() =>
            {
                Run(first);
                Run(second);
            }) / 2;
            var name = $"{variant.ArithmeticKey}.{figure}.batch{batch}";
            var ratio = result.Keep($"{name}.ratio", turns / ((one + other) / 2));
            result.Keep($"{name}.turnsMs", turns);
            table.Add(variant.Model, variant.Name, sessions, batch, one, other, turns, ratio);
        }

        void Run(PreparedBatch prepared) => loaded.Detector.Infer(prepared).Dispose();

        double Time(Action action)
        {
            // Twice before the clock runs: the first run of a shape allocates.
            action();
            action();
            return Samples.Repeat(bench.PointTime, action).P50;
        }
    }
}
