using System.Buffers.Binary;
using System.Text;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Headers;
using Fpn.Imaging.Pixels;
using Fpn.Testing.Images;

namespace Fpn.Imaging.Tests;

/// <summary>Bytes that are no image, too large or damaged: an outcome each, and no memory left behind.</summary>
public abstract class ImageDecoderFailureTests
{
    private readonly ImageDecoder _decoder;

    private protected ImageDecoderFailureTests() => _decoder = CreateDecoder(40_000_000);

    /// <summary>Bytes that a pixel with alpha takes.</summary>
    private protected abstract int AlphaBytes { get; }

    private protected abstract ImageDecoder CreateDecoder(long maxPixels);

    private static ReadOnlySpan<byte> StartOfFrame => [0xFF, 0xC0];

    private static ReadOnlySpan<byte> StartOfScan => [0xFF, 0xDA];

    public static TheoryData<string, byte[]> NotServed => new()
    {
        { "nothing", [] },
        { "one byte", [0xFF] },
        { "two bytes of a JPEG", [0xFF, 0xD8] },
        { "seven bytes of a PNG", [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A] },
        { "text", "This is not an image, whatever it is called."u8.ToArray() },
        {
            "SVG",
            """<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>"""u8
                .ToArray()
        },
        { "PDF", "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n"u8.ToArray() },
        { "BMP", [.. "BM"u8, .. new byte[60]] },
        { "PPM", "P6\n1 1\n255\nabc"u8.ToArray() },
        { "HEIC", [0, 0, 0, 24, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8, .. new byte[64]] },
        { "JPEG XL", [0, 0, 0, 0x0C, .. "JXL "u8, 0x0D, 0x0A, 0x87, 0x0A, .. new byte[64]] },
        { "JPEG 2000", [0, 0, 0, 0x0C, .. "jP  "u8, 0x0D, 0x0A, 0x87, 0x0A, .. new byte[64]] },
        { "RIFF, but WAVE", [.. "RIFF"u8, 100, 0, 0, 0, .. "WAVEfmt "u8, .. new byte[64]] },
        { "OpenEXR", [0x76, 0x2F, 0x31, 0x01, .. new byte[64]] },
        { "an MP4 film", [0, 0, 0, 20, .. "ftypisom"u8, 0, 0, 2, 0, .. "mp41"u8, .. new byte[64]] },
    };

    public static TheoryData<string> AllFormats =>
        ["rgb.jpg", "progressive.jpg", "rgb.png", "lossless.webp", "palette.gif", "lzw.tif", "rgb.avif"];

    [Theory]
    [MemberData(nameof(NotServed))]
    public void Decode_NotAServedFormat_IsUnsupported(string what, byte[] content)
    {
        var outcome = _decoder.Decode(content);

        Assert.True(outcome.Failure == DecodeFailure.UnsupportedFormat, what);
        Assert.False(outcome.Succeeded);
        Assert.NotEmpty(outcome.Detail);
    }

    [Theory]
    [InlineData(50_000u, 50_000u)]
    [InlineData(uint.MaxValue, uint.MaxValue)]
    [InlineData(40_000_001u, 1u)]
    public void Decode_HugePngHeader_IsRefusedUnread(uint width, uint height)
    {
        var outcome = _decoder.Decode(PngHeader(width, height));

        Assert.Equal(DecodeFailure.TooManyPixels, outcome.Failure);
        Assert.Contains($"{width} pixels wide and {height} high", outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_HugeJpegHeader_IsRefused()
    {
        var jpeg = TestImages.Read("rgb.jpg");
        var frame = jpeg.AsSpan().IndexOf(StartOfFrame);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 5), 50_000);
        BinaryPrimitives.WriteUInt16BigEndian(jpeg.AsSpan(frame + 7), 50_000);

        Assert.Equal(DecodeFailure.TooManyPixels, _decoder.Decode(jpeg).Failure);
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Decode_OnePixelOverTheLimit_IsRefusedAndAtTheLimitNot(string name)
    {
        var pixels = 17 * 24;

        if (!Reads(name))
        {
            return;
        }

        using var image = CreateDecoder(pixels).Decode(TestImages.Read(name)).Image;
        var refused = CreateDecoder(pixels - 1).Decode(TestImages.Read(name));

        Assert.NotNull(image);
        Assert.Equal(DecodeFailure.TooManyPixels, refused.Failure);
        Assert.Null(refused.Image);
    }

    [Theory]
    [InlineData(0u, 10u)]
    [InlineData(10u, 0u)]
    public void Decode_PngWithoutPixels_IsUndecodable(uint width, uint height) =>
        AssertUndecodable(PngHeader(width, height));

    [Fact]
    public void Decode_JpegWithoutPixels_IsUndecodable()
    {
        var jpeg = TestImages.Read("rgb.jpg");
        jpeg.AsSpan(jpeg.AsSpan().IndexOf(StartOfFrame) + 5, 4).Clear();

        AssertUndecodable(jpeg);
    }

    [Theory]
    [InlineData("IHDR")]
    [InlineData("IDAT")]
    [InlineData("IEND")]
    public void Decode_PngWithWrongChecksum_IsUndecodable(string chunk)
    {
        var png = TestImages.Read("rgb.png");
        var type = png.AsSpan().IndexOf(Encoding.ASCII.GetBytes(chunk));
        var length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(type - 4));
        png[type + 4 + length] ^= 1;

        AssertUndecodable(png);
    }

    [Theory]
    [InlineData("rgb.jpg", 3)]
    [InlineData("progressive.jpg", 3)]
    [InlineData("grey.jpg", 3)]
    [InlineData("orientation-6.jpg", 3)]
    [InlineData("cmyk.jpg", 3)]
    [InlineData("rgb.png", 8)]
    [InlineData("interlaced-rgb16.png", 8)]
    [InlineData("palette-transparent.png", 8)]
    public void Decode_CutAtAnyByte_IsUndecodable(string name, int signatureLength)
    {
        var whole = TestImages.Read(name);
        for (var length = 0; length < whole.Length; length++)
        {
            var outcome = _decoder.Decode(whole.AsSpan(0, length));

            outcome.Image?.Dispose();
            Assert.False(outcome.Succeeded, $"{name} cut to {length} of {whole.Length} bytes was decoded");
            Assert.Equal(
                length < signatureLength ? DecodeFailure.UnsupportedFormat : DecodeFailure.Undecodable,
                outcome.Failure);
        }
    }

    [Theory]
    [MemberData(nameof(AllFormats))]
    public void Decode_CutOrFlippedAnywhere_NeverThrowsAndFreesEverything(string name)
    {
        var whole = TestImages.Read(name);
        var random = new Random(20240501);
        _decoder.Decode(whole).Image?.Dispose();
        var before = NativeImageMemory.TrackedBytes;

        for (var round = 0; round < 300; round++)
        {
            var damaged = whole.AsSpan(0, round % 2 == 0 ? whole.Length : random.Next(whole.Length)).ToArray();
            for (var flips = random.Next(1, 4); flips > 0 && damaged.Length > 0; flips--)
            {
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            _decoder.Decode(damaged).Image?.Dispose();
        }

        AssertTrackedBytes(before);
    }

    [Fact]
    public void Decode_ThousandFailures_LeaveTrackedMemoryWhereItWas()
    {
        var jpeg = TestImages.Read("rgb.jpg");
        var png = TestImages.Read("interlaced.png");
        byte[][] bad =
        [
            jpeg[..^2], jpeg[..(jpeg.Length / 2)], png[..(png.Length / 2)],
            PngHeader(50_000, 50_000), PngHeader(10, 10), TestImages.Read("lossy.webp")[..100],
            TestImages.Read("rgb.avif")[..500], TestImages.Read("palette.gif")[..200],
            TestImages.Read("lzw.tif")[..1000], "text"u8.ToArray(),
        ];
        Fail(bad);
        var before = NativeImageMemory.TrackedBytes;

        for (var round = 0; round < 100; round++)
        {
            Fail(bad);
        }

        AssertTrackedBytes(before);

        void Fail(byte[][] contents) =>
            Assert.All(contents, content => Assert.False(_decoder.Decode(content).Succeeded));
    }

    [Theory]
    [InlineData("rgb.png", false)]
    [InlineData("rgba.png", true)]
    [InlineData("orientation-6.jpg", false)]
    public void PixelBytes_AnImageDisposedTwice_AreCountedOnce(string name, bool alpha)
    {
        var bytes = 17 * 24 * (alpha ? AlphaBytes : 3);
        var before = NativeImageMemory.HeldBytes;
        var image = _decoder.Decode(TestImages.Read(name)).Image!;
        Assert.Equal(before + bytes, NativeImageMemory.HeldBytes);

        image.Dispose();
        image.Dispose();

        Assert.Equal(before, NativeImageMemory.HeldBytes);
    }

    [Fact]
    public void Decode_JpegOfManyScans_IsUndecodable()
    {
        // A lawful script needs the whole picture once a scan; here the count alone is put to the test.
        var jpeg = TestImages.Read("progressive.jpg");
        Assert.Equal(new JpegMarkers(10, true), JpegMarkers.Read(jpeg, 1000));
        var scan = jpeg.AsSpan().LastIndexOf(StartOfScan);
        byte[] many = [.. jpeg[..^2], .. Enumerable.Repeat(jpeg[scan..^2], 100).SelectMany(bytes => bytes), 0xFF, 0xD9];

        var outcome = _decoder.Decode(many);

        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains("100 scans", outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_JpegFollowedByOtherData_IsDecoded()
    {
        // As cameras append films: bytes there that look like markers are not.
        var scans = Enumerable.Repeat<byte[]>([0xFF, 0xDA], 1000).SelectMany(bytes => bytes);
        byte[] jpeg = [.. TestImages.Read("rgb.jpg"), .. scans];

        using var image = _decoder.Decode(jpeg).Image;

        Assert.NotNull(image);
    }

    [Fact]
    public void Decode_TiffOfManyPages_IsUndecodable()
    {
        // Directories without entries, each pointing to the next: 2 + 4 bytes a page.
        var tiff = new byte[8 + 6 * 5000];
        "II*\0"u8.CopyTo(tiff);
        for (var page = 0; page < 5000; page++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(tiff.AsSpan(page == 0 ? 4 : 8 + 6 * page - 4), 8 + 6 * page);
        }

        var outcome = _decoder.Decode(tiff);

        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains("4096 pages", outcome.Detail, StringComparison.Ordinal);
    }

    private bool Reads(string name)
    {
        var outcome = _decoder.Open(TestImages.Read(name));
        outcome.Image?.Dispose();
        return outcome.Succeeded;
    }

    private static byte[] PngHeader(uint width, uint height)
    {
        byte[] png =
        [
            0x89, .. "PNG"u8, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13, .. "IHDR"u8,
            0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0,
        ];
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(16), width);
        BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(20), height);
        return png;
    }

    /// <summary>libvips' own worker threads give their last strips back a moment after the result is there.</summary>
    private static void AssertTrackedBytes(long expected)
    {
        SpinWait.SpinUntil(() => NativeImageMemory.TrackedBytes <= expected, TimeSpan.FromSeconds(10));
        Assert.InRange(NativeImageMemory.TrackedBytes, 0, expected);
    }

    private void AssertUndecodable(byte[] content)
    {
        var outcome = _decoder.Decode(content);
        Assert.Null(outcome.Image);
        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains("cannot be decoded", outcome.Detail, StringComparison.Ordinal);
    }
}
