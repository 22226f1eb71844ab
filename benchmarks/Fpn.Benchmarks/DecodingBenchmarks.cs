using BenchmarkDotNet.Attributes;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;

namespace Fpn.Benchmarks;

/// <summary>From a file's bytes to RGB pixels, on the calling thread.</summary>
[MemoryDiagnoser]
public class DecodingBenchmarks
{
    private readonly ImageDecoder _decoder = new(40_000_000, new VipsCodec());
    private byte[] _encoded = null!;
    private byte[] _cutOff = null!;

    [Params("smear-480x640.jpg", "exif6-480x360.jpg", "large-900x1200.jpg", "odd-501x333.png")]
    public string Image { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        using var stream = typeof(DecodingBenchmarks).Assembly.GetManifestResourceStream(Image)!;
        _encoded = new byte[stream.Length];
        stream.ReadExactly(_encoded);
        _cutOff = _encoded[..(_encoded.Length / 2)];
    }

    [Benchmark(Baseline = true)]
    public int Decode()
    {
        using var image = _decoder.Decode(_encoded).Image!;
        return image.Size.Width;
    }

    [Benchmark]
    public int CutOff() => (int)_decoder.Decode(_cutOff).Failure;
}
