using System.Globalization;
using System.Runtime.InteropServices;
using Fpn.Models.Execution.Devices;

namespace Fpn.Benchmarks.Gpu;

/// <summary>What the figures were measured on.</summary>
internal sealed class MachineSection : ISection
{
    /// <summary>Names the device.</summary>
    public const string DeviceFact = "device";

    /// <inheritdoc/>
    public string Name => "machine";

    /// <inheritdoc/>
    public string Title => "Machine";

    /// <inheritdoc/>
    public Task RunAsync(Bench bench, SectionResult result)
    {
        var gpu = bench.OnGpu ? NvidiaSmi.Describe() : null;
        result.Facts[DeviceFact] = gpu?[0] ?? (bench.OnGpu ? "unknown GPU" : "CPU");
        if (bench.OnGpu)
        {
            Keep("driver", gpu?[1]);
            Keep("GPU memory, MiB", gpu?[2]);
            Keep("GPU power limit, W", gpu?[3]);
            Keep("CUDA runtime", CudaVersions.Runtime());
            Keep("cuDNN", CudaVersions.Cudnn());
        }

        var now = TimeProvider.System.GetUtcNow();
        Keep("measured", now.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture));
        Keep("processor", $"{Processor()}, {Environment.ProcessorCount} processors for this process");
        Keep("memory", $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / (1 << 30)} GiB");
        Keep("system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}");
        Keep("program", Revision());
        OnnxEnvironment.Ensure(bench.Threads);
        Keep("ONNX Runtime", OnnxEnvironment.Version);
        foreach (var variant in bench.Variants.DistinctBy(variant => variant.Contract.Name))
        {
            var graphs = variant.Contract.Files.Values.Select(file => new FileInfo(file.Path).Length).Sum() / 1e6;
            var size = graphs.ToString("F1", CultureInfo.InvariantCulture);
            var rois = variant.PinnedRois is { } pinned ? $", {pinned} RoIs of every image" : string.Empty;
            Keep($"package {variant.Contract.Name}", $"{size} MB{rois}: {variant.Contract.Description}");
        }

        // The first use of the device: where it cannot be used, this says why before anything else is tried.
        var device = bench.DeviceOf(bench.Variants[0]).Description;
        Keep("graphs run on", $"{device.Name} ({device.ProviderName}); batches at a time: {device.Streams}");
        var table = result.AddTable("", "what", "is");
        foreach (var (what, value) in result.Facts)
        {
            table.Add(what, value);
        }

        return Task.CompletedTask;

        void Keep(string fact, string? value) => result.Facts[fact] = value ?? "unknown";
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
