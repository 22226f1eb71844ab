using System.Diagnostics;
using Fpn.Benchmarks.Load;
using Fpn.Detection.Geometry;

namespace Fpn.Benchmarks.Gpu;

/// <summary>The service as its own process, serving one variant alone.</summary>
internal sealed class ServedVariant : IDisposable
{
    /// <summary>Counts shapes that a graph first saw after the warm-up.</summary>
    private const string UnwarmedMetric = "fpn_shapes_unwarmed_total";

    private readonly string _folder;
    private readonly ServiceUnderLoad _service;

    private ServedVariant(string folder, ServiceUnderLoad service, double startSeconds)
    {
        _folder = folder;
        _service = service;
        StartSeconds = startSeconds;
    }

    /// <summary>Time from the start of the process until it listened, warm.</summary>
    public double StartSeconds { get; }

    /// <summary>Memory of the process, in MiB.</summary>
    public double ResidentMemory => _service.ResidentBytes / (1024.0 * 1024);

    /// <summary>Starts it.</summary>
    /// <param name="bench">Where it runs, and how.</param>
    /// <param name="variant">The only model that it is given.</param>
    /// <param name="batch">Images in a batch at most.</param>
    /// <param name="buckets">The sizes that its shapes are fixed to; without any, the service's own.</param>
    public static async Task<ServedVariant> StartAsync(
        Bench bench, Variant variant, int batch, params IReadOnlyList<ImageSize> buckets)
    {
        var folder = Directory.CreateTempSubdirectory("fpn-gpu-").FullName;
        try
        {
            var name = variant.Contract.Name;
            var package = Path.GetFullPath(Path.Combine(bench.Options.Packages, name));
            Directory.CreateSymbolicLink(Path.Combine(folder, name), package);
            var begun = Stopwatch.GetTimestamp();
            (string, string)[] batching = [("Batching:MaxBatchSize", $"{batch}"), ("Batching:QueueCapacity", "1024")];
            (string, string)[] shapes = buckets.Count == 0
                ? []
                : [("Batching:FixedShapes", "on"), ("Batching:Buckets", string.Join(',', buckets))];
            var service = await ServiceUnderLoad.StartAsync(
                folder, [.. bench.ServiceSettings(variant), .. batching, .. shapes]);
            return new ServedVariant(folder, service, Stopwatch.GetElapsedTime(begun).TotalSeconds);
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>Clients for it; the caller disposes them.</summary>
    public LoadGenerator Clients(byte[][] images) => new(_service.Address, images);

    /// <summary>Keeps how many shapes were first seen after the warm-up, which must be none.</summary>
    /// <returns>Their number; null where shapes are not fixed, as on a CPU.</returns>
    public async Task<double?> KeepUnwarmedShapesAsync(SectionResult result, Variant variant)
    {
        var shapes = await _service.ReadMetricAsync(UnwarmedMetric);
        return shapes is { } count ? result.Keep($"{variant.ArithmeticKey}.shapesAfterWarmUp", count) : null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _service.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
