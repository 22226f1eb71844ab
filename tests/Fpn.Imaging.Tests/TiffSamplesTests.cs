using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Testing.Goldens;
using Fpn.Testing.Images;

namespace Fpn.Imaging.Tests;

/// <summary>TIFFs whose numbers have a certain color are decoded to it, all others are refused with a
/// reason.</summary>
public sealed class TiffSamplesTests
{
    private readonly ImageDecoder _decoder = new(40_000_000, new VipsCodec());

    public static TheoryData<string, byte[], string> Refused => new()
    {
        { "float RGB", Rgb(32, format: 3), "floating-point" },
        { "float RGB of 16 bits", Rgb(16, format: 3), "floating-point" },
        { "float RGB of 64 bits", Rgb(64, format: 3), "floating-point" },
        { "float gray", Gray(32, format: 3), "floating-point" },
        { "signed RGB", Rgb(8, format: 2), "signed" },
        { "signed gray of 16 bits", Gray(16, format: 2), "signed" },
        { "signed gray of 32 bits", Gray(32, format: 2), "signed" },
        { "complex gray", Gray(64, format: 6), "complex" },
        { "RGB of 32 bits", Rgb(32), "32 bits" },
        { "gray of 12 bits", Gray(12), "12 bits" },
        { "RGB of 10 bits", Rgb(10), "10 bits" },
        { "12 bits in 16, by a tag", Rgb(16, max: 4095), "14 bits at most" },
        { "10 bits in 16, by a tag", Gray(16, max: 1023), "14 bits at most" },
        { "L*a*b*", Rgb(8, photometric: 8), "L*a*b*" },
        { "L*a*b* of 16 bits", Rgb(16, photometric: 8), "L*a*b*" },
        { "ICC L*a*b*", Rgb(8, photometric: 9), "L*a*b*" },
        { "LogLuv", Rgb(16, photometric: 32845), "LogLuv" },
        { "a sensor's mosaic", Gray(16, photometric: 32803), "sensor" },
        { "a sensor's colors", Rgb(16, photometric: 34892), "sensor" },
        { "a mask", Gray(1, photometric: 4), "mask" },
        { "other inks", Inks(8, inkSet: 2), "inks" },
        { "LERC", Rgb(8, compression: 34887), "LERC" },
        { "Zstandard", Rgb(8, compression: 50000), "Zstandard" },
        { "old JPEG", Rgb(8, compression: 6), "TIFF 6.0" },
        { "float RGB, big endian", Rgb(32, format: 3, bigEndian: true), "floating-point" },
        { "float RGB in BigTIFF", Rgb(32, format: 3, bigTiff: true), "floating-point" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public void Decode_NumbersWithoutACertainColor_AreRefusedByName(string what, byte[] file, string reason)
    {
        var outcome = _decoder.Decode(file);

        Assert.True(outcome.Failure == DecodeFailure.Undecodable && !outcome.Succeeded, what);
        Assert.Contains(reason, outcome.Detail, StringComparison.Ordinal);
        Assert.Equal(outcome, _decoder.Open(file).Refusal);
    }

    [Theory]
    [InlineData("tiff-float32-rgb-0to1.tif", "floating-point")]
    [InlineData("tiff-lab.tif", "L*a*b*")]
    [InlineData("tiff-zstd.tif", "Zstandard")]
    public void Decode_FilesOfOtherPrograms_AreRefusedByName(string name, string reason)
    {
        var outcome = _decoder.Decode(File.ReadAllBytes(Path.Combine(GoldenFolder.RequireShared("cases"), name)));

        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains(reason, outcome.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Decode_SixteenBits_KeepTheUpperByte(bool bigEndian, bool bigTiff)
    {
        var file = new MadeTiff
        {
            Width = 2,
            Height = 1,
            Bits = 16,
            BigEndian = bigEndian,
            BigTiff = bigTiff,
            Samples = MadeTiff.Shorts(bigEndian, 0, 0x12FF, 0xFF00, 0x8000, 0x7FFF, 0x0101),
        };

        using var image = _decoder.Decode(file.ToFile()).Image;

        Assert.Equal([0, 0x12, 0xFF, 0x80, 0x7F, 1], image!.Pixels.ToArray());
    }

    [Fact]
    public void Decode_SixteenBitInks_AreThoseOfTheirUpperBytes()
    {
        var file = new MadeTiff
        {
            Width = 1,
            Height = 1,
            Bits = 16,
            Channels = 4,
            Photometric = 5,
            Samples = MadeTiff.Shorts(false, 0xFF12, 0x80FF, 0x0011, 0x3300),
        };

        using var image = _decoder.Decode(file.ToFile()).Image;

        // Black leaves 255 - 51 = 204; of that magenta takes 204 x 128 / 255 = 102.4.
        Assert.Equal([0, 102, 204], image!.Pixels.ToArray());
    }

    [Fact]
    public void Decode_SixteenBitWhiteIsZero_IsTurnedRound()
    {
        var file = new MadeTiff
        {
            Width = 2,
            Height = 1,
            Bits = 16,
            Channels = 1,
            Photometric = 0,
            Samples = MadeTiff.Shorts(false, 0, 0xC000),
        };

        using var image = _decoder.Decode(file.ToFile()).Image;

        Assert.Equal([255, 255, 255, 0x3F, 0x3F, 0x3F], image!.Pixels.ToArray());
    }

    [Theory]
    [InlineData(0x0FFF, 1, false)]
    [InlineData(0x3FFF, 1, false)]
    [InlineData(0x4000, 1, true)]
    [InlineData(0x3FFF, 0, false)]
    [InlineData(0x4000, 0, true)]
    public void Decode_SixteenBitsOfWhichFewAreUsed_AreRefused(int largest, int photometric, bool served)
    {
        var file = new MadeTiff
        {
            Width = 3,
            Height = 1,
            Bits = 16,
            Channels = 1,
            Photometric = photometric,
            Samples = MadeTiff.Shorts(false, 7, (ushort)largest, 300),
        };

        var outcome = _decoder.Decode(file.ToFile());

        outcome.Image?.Dispose();
        Assert.Equal(served, outcome.Succeeded);
        Assert.True(served || outcome.Detail.Contains("scale", StringComparison.Ordinal));
    }

    [Fact]
    public void Decode_ShallowColorsBehindFullAlpha_AreRefused()
    {
        var file = new MadeTiff
        {
            Width = 1,
            Height = 1,
            Bits = 16,
            Channels = 4,
            Samples = MadeTiff.Shorts(false, 4095, 4000, 3000, 0xFFFF),
        };

        Assert.Equal(DecodeFailure.Undecodable, _decoder.Decode(file.ToFile()).Failure);
    }

    [Fact]
    public void Decode_CmykOfThePublicReports_GivesThePixelsOfPillow()
    {
        var file = File.ReadAllBytes(Path.Combine(GoldenFolder.RequireShared("cases"), "jpeg-cmyk.jpg"));

        using var image = _decoder.Decode(file).Image;

        Assert.Equal(
            PillowSha256, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(image!.Pixels)));
    }

    /// <summary>Of <c>Image.open("jpeg-cmyk.jpg").convert("RGB").tobytes()</c>, Pillow 9.4.0.</summary>
    private const string PillowSha256 = "58f80493378ed48250fadb8f3af66bc9df698e2a81aab75c0efa2e7266ec5a3f";

    private static byte[] Rgb(
        int bits, int? format = null, int? max = null, int photometric = 2, int compression = 1, bool bigEndian = false,
        bool bigTiff = false) => Make(bits, 3, format, max, photometric, compression, bigEndian, bigTiff, inkSet: null);

    private static byte[] Gray(int bits, int? format = null, int? max = null, int photometric = 1) =>
        Make(bits, 1, format, max, photometric, compression: 1, bigEndian: false, bigTiff: false, inkSet: null);

    private static byte[] Inks(int bits, int inkSet) =>
        Make(
            bits, 4, format: null, max: null, photometric: 5, compression: 1, bigEndian: false, bigTiff: false, inkSet);

    private static byte[] Make(
        int bits, int channels, int? format, int? max, int photometric, int compression, bool bigEndian, bool bigTiff,
        int? inkSet) =>
        new MadeTiff
        {
            Bits = bits,
            Channels = channels,
            SampleFormat = format,
            MaxSampleValue = max,
            Photometric = photometric,
            Compression = compression,
            BigEndian = bigEndian,
            BigTiff = bigTiff,
            InkSet = inkSet,
            Samples = [.. Enumerable.Range(0, 4 * 3 * channels * 8).Select(i => (byte)(i * 37))],
        }.ToFile();
}
