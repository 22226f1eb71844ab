using System.Globalization;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;

namespace Fpn.Benchmarks.Load;

/// <summary>
/// The service against the same pipeline in a bare loop, against the two sessions alone, and against many clients:
/// <c>load --models DIR --images DIR [--model NAME] [--seconds 5] [--rounds 5] [--plot FILE.svg]</c>.
/// </summary>
/// <remarks>The three take turns in one run, so that the machine's drift hits all alike; ratios are medians over the
/// rounds.</remarks>
internal static class LoadCommand
{
    private const int SaturatingClients = 8;

    private static readonly int[] Concurrencies = [1, 2, 4, 8, 16, 32, 64, 128, 256];

    public static async Task RunAsync(string[] args)
    {
        var models = Option(args, "--models") ?? throw new ArgumentException("--models DIR is missing.");
        var folder = Option(args, "--images") ?? throw new ArgumentException("--images DIR is missing.");
        var model = Option(args, "--model") ?? ModelOptions.UsualDefault;
        var seconds = double.Parse(Option(args, "--seconds") ?? "5", CultureInfo.InvariantCulture);
        var rounds = int.Parse(Option(args, "--rounds") ?? "5", CultureInfo.InvariantCulture);
        var images = Directory.EnumerateFiles(folder, "*.jpg").Order(StringComparer.Ordinal).Take(72)
            .Select(File.ReadAllBytes).ToArray();
        var threads = Environment.ProcessorCount;
        Console.WriteLine($"{model}, {images.Length} images, {threads} processors, {rounds} rounds of {seconds} s");

        var device = ExecutionDevice.Open(new ExecutionOptions { Threads = threads }, new CudaOptions());
        using var detector = new TwoStageDetector(
            ModelManifestReader.Read(Path.Combine(models, model), model), device);
        using var bare = new BarePipeline(detector, images, device.Description.Streams);
        using var service = await ServiceUnderLoad.StartAsync(models, ("Models:Default", model));
        using var load = new LoadGenerator(service.Address, images);
        await load.RunAsync(SaturatingClients, TimeSpan.FromSeconds(2));
        bare.RunStages(20);

        await CompareAsync(bare, load, service, threads, rounds, TimeSpan.FromSeconds(seconds));
        await SweepAsync(load, TimeSpan.FromSeconds(seconds), Option(args, "--plot"));
    }

    private static async Task CompareAsync(
        BarePipeline bare, LoadGenerator load, ServiceUnderLoad service, int threads, int rounds, TimeSpan time)
    {
        List<double> bareRatios = [], sessionRatios = [], latencyRatios = [];
        Console.WriteLine("| round | bare loop, images/s | sessions alone | service | service's CPU, s | load "
            + "generator's CPU, s | latency at 1 client, ms | sum of the stages, ms |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        for (var round = 1; round <= rounds; round++)
        {
            var loop = bare.RunLoop(threads, time);
            var cpuBefore = service.CpuTime;
            var served = await load.RunAsync(SaturatingClients, time);
            var cpu = service.CpuTime - cpuBefore;
            var sessions = bare.RunSessions(time);
            var alone = await load.RunAsync(1, time);
            var stages = bare.RunStages((int)Math.Max(10, time.TotalSeconds * 8));
            bareRatios.Add(served.PerSecond / loop);
            sessionRatios.Add(served.PerSecond / sessions);
            latencyRatios.Add(alone.P50 / stages);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {round} | {loop:F1} | {sessions:F1} | {served.PerSecond:F1} | {cpu.TotalSeconds:F1} | "
                    + $"{served.GeneratorCpu.TotalSeconds:F1} | {alone.P50:F1} | {stages:F1} |"));
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Medians: service / bare loop {Median(bareRatios):F3}, service / sessions alone "
                + $"{Median(sessionRatios):F3}, latency / sum of the stages {Median(latencyRatios):F3}"));
    }

    private static async Task SweepAsync(LoadGenerator load, TimeSpan time, string? plot)
    {
        Console.WriteLine();
        Console.WriteLine("| clients | images/s | p50, ms | p95, ms | p99, ms | mean batch | rejected |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        List<LoadResult> results = [];
        foreach (var clients in Concurrencies)
        {
            var result = await load.RunAsync(clients, time);
            results.Add(result);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {clients} | {result.PerSecond:F1} | {result.P50:F0} | {result.P95:F0} | {result.P99:F0} | "
                    + $"{result.MeanBatch:F2} | {result.Rejected} |"));
        }

        if (plot is not null)
        {
            await File.WriteAllTextAsync(plot, LoadPlot.Draw(results));
        }
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }

    private static string? Option(string[] args, string name)
    {
        var at = Array.IndexOf(args, name);
        return at >= 0 && at + 1 < args.Length ? args[at + 1] : null;
    }
}
