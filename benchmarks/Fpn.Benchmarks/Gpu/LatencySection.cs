using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;

namespace Fpn.Benchmarks.Gpu;

/// <summary>One client that waits for each answer: a 640×480 JPEG to JSON over HTTP.</summary>
internal sealed class LatencySection : ISection
{
    private static readonly ImageSize Picture = new(480, 640);

    /// <inheritdoc/>
    public string Name => "latency";

    /// <inheritdoc/>
    public string Title => "Latency at concurrency 1, from a 640×480 JPEG";

    /// <inheritdoc/>
    public async Task RunAsync(Bench bench, SectionResult result)
    {
        var table = result.AddTable(
            "Milliseconds as the client sees them",
            "model", "variant", "resized to", "p50", "p95", "p99", "answers/s", "start, s", "shapes after the warm-up");
        var images = bench.Draw(Picture, 8);
        foreach (var variant in bench.BestLayouts(ThroughputSection.SingleFigure))
        {
            if (bench.Stop(result))
            {
                return;
            }

            // The one shape that comes. On a GPU shapes are fixed anyway; the trial shows on a CPU that the counter of
            // new ones works.
            ResizeTransform transform = new(variant.Contract.Input);
            var resized = transform.ResizedSize(Picture);
            var fix = bench.OnGpu || bench.Options.Quick;
            using var service = await ServedVariant.StartAsync(
                bench, variant, batch: 1, fix ? [transform.PaddedSize(resized)] : []);
            using var load = service.Clients(images);
            await load.RunAsync(1, bench.PointTime / 2);
            var run = await load.RunAsync(1, bench.PointTime * 3);
            result.Keep($"{variant.ArithmeticKey}.p50Ms", run.P50);
            result.Keep($"{variant.ArithmeticKey}.p99Ms", run.P99);
            var shapes = await service.KeepUnwarmedShapesAsync(result, variant);
            table.Add(variant.Model, variant.Name, resized, run.P50, run.P95, run.P99, run.PerSecond,
                service.StartSeconds, shapes);
        }
    }
}
