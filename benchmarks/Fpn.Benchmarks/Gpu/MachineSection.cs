using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Benchmarks.Gpu;

/// <summary>What the figures were measured on.</summary>
internal sealed class MachineSection : ISection
{
    /// <inheritdoc/>
    public string Name => "machine";

    /// <inheritdoc/>
    public string Title => "Machine";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        var table = result.AddTable("", "what", "is");
        var now = TimeProvider.System.GetUtcNow();
        table.Add("measured", now.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        table.Add("processor", $"{Processor()}, {Environment.ProcessorCount} processors for this process");
        table.Add("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 30)} GiB");
        table.Add("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        var gpu = NvidiaSmi.Describe();
        table.Add("GPU", gpu is null ? "none (no nvidia-smi)" : $"{gpu[0]}, driver {gpu[1]}, {gpu[2]} MiB, {gpu[3]} W");
        table.Add("program", Revision());
        foreach (var variant in bench.Variants.DistinctBy(variant => variant.Contract.Name))
        {
            var graphs = variant.Contract.Files.Values.Select(file => new FileInfo(file.Path).Length).Sum() / 1e6;
            var size = graphs.ToString("F1", CultureInfo.InvariantCulture);
            var rois = variant.PinnedRois is { } pinned ? $", {pinned} RoIs of every image" : string.Empty;
            table.Add($"package {variant.Contract.Name}", $"{size} MB{rois}: {variant.Contract.Description}");
        }

        var device = bench.DeviceOf(bench.Variants[0]).Description;
        table.Add("graphs run on", $"{device.Name} ({device.ProviderName}); batches at a time: {device.Streams}");
        table.Add("ONNX Runtime", OrtEnv.Instance().GetVersionString());
        return Task.CompletedTask;
    }

    /// <summary>What it was built from, where the packing script noted it.</summary>
    private static string Revision()
    {
        var file = Path.Combine(AppContext.BaseDirectory, "REVISION");
        return File.Exists(file) ? File.ReadAllText(file).Trim() : "not packed";
    }

    private static string Processor() => File.ReadLines("/proc/cpuinfo")
        .Where(line => line.StartsWith("model name", StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault("unknown");
}
