using BenchmarkDotNet.Attributes;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;

namespace Fpn.Benchmarks;

/// <summary>From RGB pixels to the input tensor: 480×640 becomes 800×1066, padded to 800×1088.</summary>
[MemoryDiagnoser]
public class PreprocessingBenchmarks
{
    private static readonly ImageSize Source = new(480, 640);

    private byte[] _pixels = null!;
    private PixelNormalizer _normalizer = null!;
    private ImageSize _resized;
    private ImageBatch _batch = null!;

    /// <summary>Every filter with every type that it can make.</summary>
    public static IEnumerable<Conversion> Cases =>
    [
        new("bilinear float32", ResizeFilter.Bilinear, PixelType.Float32),
        new("bilinear float16", ResizeFilter.Bilinear, PixelType.Float16),
        new("antialias float32", ResizeFilter.BilinearAntialias, PixelType.Float32),
        new("antialias float16", ResizeFilter.BilinearAntialias, PixelType.Float16),
        new("antialias bytes", ResizeFilter.BilinearAntialias, PixelType.UInt8),
    ];

    [ParamsSource(nameof(Cases))]
    public Conversion Of { get; set; } = null!;

    [GlobalSetup]
    public void Setup()
    {
        MadeNumbers numbers = new(1);
        _pixels = [.. Enumerable.Range(0, (int)Source.Area * 3).Select(_ => (byte)numbers.Uniform(0, 256))];
        var options = new InputOptions { MinSize = 800, MaxSize = 1333, Resize = Of.Filter };
        var transform = new ResizeTransform(options);
        _normalizer = new PixelNormalizer(options);
        _resized = transform.ResizedSize(Source);
        _batch = ImageBatch.Rent(1, transform.PaddedSize(_resized), Of.Type);
    }

    [GlobalCleanup]
    public void Cleanup() => _batch.Dispose();

    [Benchmark]
    public void Vectorized() => _normalizer.Write(_pixels, Source, _resized, _batch, 0);

    [Benchmark(Baseline = true)]
    public void Scalar() => _normalizer.WriteScalar(
        new PixelRegion(_pixels, Source, new PixelRectangle(Source)), _resized, _batch, 0);

    /// <summary>As the service does it for every batch: the tensor comes from the pool and goes back.</summary>
    [Benchmark]
    public void VectorizedPooled()
    {
        using var batch = ImageBatch.Rent(1, _batch.Size, Of.Type);
        _normalizer.Write(_pixels, Source, _resized, batch, 0);
    }

    /// <summary>What is made of the pixels, and how.</summary>
    /// <param name="Name">In the table.</param>
    /// <param name="Filter">How the picture is resized.</param>
    /// <param name="Type">What the tensor holds.</param>
    public sealed record Conversion(string Name, ResizeFilter Filter, PixelType Type)
    {
        public override string ToString() => Name;
    }
}
