using System.Diagnostics;
using System.Globalization;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Memory while requests of changing sizes come.</summary>
internal sealed class MemorySection : ISection
{
    private const int Requests = 2_000;
    private const int Clients = 32;
    private const int Batch = 8;
    private const int Rows = 20;

    /// <inheritdoc/>
    public string Name => "memory";

    /// <inheritdoc/>
    public string Title => "Memory over requests of changing sizes";

    /// <inheritdoc/>
    public async Task RunAsync(Bench bench, SectionResult result)
    {
        var variant = bench.BestLayouts(ThroughputSection.BestFigure)[0];
        var requests = bench.Options.Requests ?? (bench.Options.Quick ? 12 : Requests);
        var images = bench.DrawMixed(bench.Options.Quick ? 6 : 48);
        using var service = await ServedVariant.StartAsync(bench, variant, Batch);
        using var load = service.Clients(images);
        var table = result.AddTable(
            $"{variant.Model}, {variant.Name}, batches of up to {Batch}, {Clients} clients",
            "requests", "GPU memory in use, MiB", "service's resident memory, MiB");
        var sent = 0;
        List<(int Requests, double? Gpu, double Resident)> samples = [];
        Sample();
        var clock = Stopwatch.GetTimestamp();
        var ends = Enumerable.Range(1, Rows).Select(row => (int)((long)requests * row / Rows)).Where(end => end > 0);
        foreach (var until in ends.Distinct())
        {
            if (bench.Stop(result))
            {
                break;
            }

            // Each run of the generator begins with another picture, so that clients do not repeat their own.
            var from = sent;
            var count = until - from;
            await load.RunAsync(Math.Min(Clients, count), number => number < count, from);
            sent = until;
            Sample();
        }

        result.Keep("requests", sent);
        result.Keep("requestsPerSecond", sent / Stopwatch.GetElapsedTime(clock).TotalSeconds);
        result.Notes.Add(
            $"{sent} of {requests} requests, {images.Length} JPEGs of as many sizes; growth is the most after the "
            + "first tenth, less what was in use then.");
        Keep("gpuGrowthMiB", samples.Select(sample => sample.Gpu));
        Keep("residentGrowthMiB", samples.Select(sample => (double?)sample.Resident));
        if (samples[^1].Gpu is null)
        {
            result.Notes.Add("GPU memory: not measured, there is no nvidia-smi.");
        }

        if (await service.KeepUnwarmedShapesAsync(result, variant) is { } shapes)
        {
            result.Notes.Add($"Shapes first seen after the warm-up: {shapes.ToString(CultureInfo.InvariantCulture)}.");
        }

        void Sample()
        {
            samples.Add((sent, NvidiaSmi.UsedMemory(), service.ResidentMemory));
            table.Add(samples[^1].Requests, samples[^1].Gpu, samples[^1].Resident);
        }

        void Keep(string figure, IEnumerable<double?> values)
        {
            var settled = values.Skip(1 + Rows / 10).OfType<double>().ToArray();
            if (settled.Length > 1)
            {
                result.Keep(figure, settled.Max() - settled[0]);
            }
        }
    }
}
