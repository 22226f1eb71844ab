using BenchmarkDotNet.Attributes;
using Fpn.Detection.Imaging;

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

    [Params(ResizeFilter.Bilinear, ResizeFilter.BilinearAntialias)]
    public ResizeFilter Filter { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        MadeNumbers numbers = new(1);
        _pixels = [.. Enumerable.Range(0, (int)Source.Area * 3).Select(_ => (byte)numbers.Uniform(0, 256))];
        var options = new InputOptions { MinSize = 800, MaxSize = 1333, Resize = Filter };
        var transform = new ResizeTransform(options);
        _normalizer = new PixelNormalizer(options);
        _resized = transform.ResizedSize(Source);
        _batch = ImageBatch.Rent(1, transform.PaddedSize(_resized));
    }

    [GlobalCleanup]
    public void Cleanup() => _batch.Dispose();

    [Benchmark]
    public void Vectorised() => _normalizer.Normalize(_pixels, Source, _resized, _batch.Size, _batch.Image(0));

    [Benchmark(Baseline = true)]
    public void Scalar() => _normalizer.NormalizeScalar(_pixels, Source, _resized, _batch.Size, _batch.Image(0));

    /// <summary>As the service does it for every batch: the tensor comes from the pool and goes back.</summary>
    [Benchmark]
    public float VectorisedPooled()
    {
        using var batch = ImageBatch.Rent(1, _batch.Size);
        _normalizer.Normalize(_pixels, Source, _resized, batch.Size, batch.Image(0));
        return batch.Image(0)[0];
    }
}
