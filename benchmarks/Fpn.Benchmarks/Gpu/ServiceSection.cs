using Fpn.Benchmarks.Load;

namespace Fpn.Benchmarks.Gpu;

/// <summary>The service over HTTP against the same pipeline in a bare loop, with the same batch.</summary>
internal sealed class ServiceSection : ISection
{
    /// <summary>Without a measurement of the batch that is best.</summary>
    private const int UsualBatch = 8;

    /// <inheritdoc/>
    public string Name => "service";

    /// <inheritdoc/>
    public string Title => "Service against bare loop, JPEG to JSON";

    /// <inheritdoc/>
    public async Task RunAsync(Bench bench, SectionResult result)
    {
        result.Notes.Add(
            "JPEGs in, JSON out, both on all processors, taking turns; ratios are medians of the rounds. The bare"
            + " loop decodes, resizes, infers and selects with as many batches under way as the device takes at a "
            + "time and two more; the service, in a process of its own, has six batches' worth of clients. The "
            + "batch is the best of the section throughput where that was run before, else 8.");
        var table = result.AddTable(
            "Images/s (median of the rounds)",
            "model", "variant", "picture", "batch", "bare loop", "service", "service / bare loop",
            "mean batch of the service", "p50, ms", "clients", "start, s", "shapes after the warm-up");
        var earlier = ResultFolder.Figures(bench.Options.Output);
        foreach (var variant in bench.BestLayouts(ThroughputSection.BestFigure))
        {
            if (bench.Stop(result))
            {
                return;
            }

            var best = (int)earlier.GetValueOrDefault(ThroughputSection.BestBatchFigure(variant), UsualBatch);
            await CompareAsync(bench, variant, bench.Options.Quick ? 2 : best, result, table);
        }
    }

    private static async Task CompareAsync(
        Bench bench, Variant variant, int batch, SectionResult result, ResultTable table)
    {
        var size = bench.PictureSize(variant);
        var images = bench.Draw(size, 32);
        using var loaded = bench.OpenWarm(variant, [batch]);
        var streams = bench.DeviceOf(variant).Description.Streams;
        using BarePipeline bare = new(loaded.Detector, images, streams);
        using var service = await ServedVariant.StartAsync(
            bench, variant, batch, bench.OnGpu ? [bench.PaddedSize(variant)] : []);
        using var load = service.Clients(images);
        var lanes = batch == 1 ? bench.Threads : streams + 2;
        var clients = 6 * batch;
        var time = bench.Options.Quick ? TimeSpan.FromSeconds(0.3) : TimeSpan.FromSeconds(3);
        bare.RunLoop(lanes, time / 3, batch);
        await load.RunAsync(clients, time / 3);

        List<double> loops = [], ratios = [];
        List<LoadResult> served = [];
        for (var round = 0; round < (bench.Options.Quick ? 1 : 3); round++)
        {
            loops.Add(bare.RunLoop(lanes, time, batch));
            served.Add(await load.RunAsync(clients, time));
            ratios.Add(served[^1].PerSecond / loops[^1]);
        }

        var middle = served.OrderBy(run => run.PerSecond).ElementAt(served.Count / 2);
        var (loop, ratio) = (new Samples(loops).P50, new Samples(ratios).P50);
        result.Keep($"{variant.ArithmeticKey}.batch", batch);
        result.Keep($"{variant.ArithmeticKey}.bareImagesPerSecond", loop);
        result.Keep($"{variant.ArithmeticKey}.imagesPerSecond", middle.PerSecond);
        result.Keep($"{variant.ArithmeticKey}.ratio", ratio);
        result.Keep($"{variant.ArithmeticKey}.startSeconds", service.StartSeconds);
        var shapes = await service.KeepUnwarmedShapesAsync(result, variant);
        table.Add(
            variant.Model, variant.Name, size, batch, loop, middle.PerSecond, ratio, middle.MeanBatch, middle.P50,
            clients, service.StartSeconds, shapes);
    }
}
