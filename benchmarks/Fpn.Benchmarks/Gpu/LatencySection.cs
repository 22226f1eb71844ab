using Fpn.Detection.Imaging;

namespace Fpn.Benchmarks.Gpu;

/// <summary>One client that waits for each answer: a 640×480 JPEG to JSON over HTTP.</summary>
internal sealed class LatencySection : ISection
{
    private const int LargestBatch = 8;

    /// <inheritdoc/>
    public string Name => "latency";

    /// <inheritdoc/>
    public string Title => "Latency at concurrency 1, from a 640×480 JPEG";

    /// <inheritdoc/>
    public async Task RunAsync(Bench bench, SectionResult result)
    {
        var table = result.AddTable(
            "Milliseconds as the client sees them",
            "model", "arithmetic", "resized to", "p50", "p95", "p99", "answers/s", "shapes after the warm-up");
        var images = bench.Draw(new ImageSize(480, 640), 8);
        foreach (var variant in bench.LargestFirst)
        {
            if (bench.Stop(result))
            {
                return;
            }

            // On a GPU shapes are fixed anyway; the trial shows on a CPU that the counter of new ones works.
            var batch = bench.Options.Quick ? 1 : LargestBatch;
            (string, string)[] settings = bench.Options.Quick ? [("Batching:FixedShapes", "on")] : [];
            using var service = await ServedVariant.StartAsync(bench, variant, batch, settings);
            using var load = service.Clients(images);
            await load.RunAsync(1, bench.PointTime / 2);
            var run = await load.RunAsync(1, bench.PointTime * 3);
            result.Keep($"{variant.Key}.p50Ms", run.P50);
            result.Keep($"{variant.Key}.p99Ms", run.P99);
            var shapes = await service.KeepUnwarmedShapesAsync(result, variant);
            var resized = new ResizeTransform(variant.Contract.Input).ResizedSize(new ImageSize(480, 640));
            table.Add(variant.Model, variant.Precision, resized, run.P50, run.P95, run.P99, run.PerSecond, shapes);
        }
    }
}
