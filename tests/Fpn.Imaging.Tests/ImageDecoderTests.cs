using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Testing.Images;

namespace Fpn.Imaging.Tests;

/// <summary>What well-formed images of every served kind decode to.</summary>
public sealed class ImageDecoderTests
{
    private readonly ImageDecoder _decoder = new(40_000_000, new VipsCodec());

    public static TheoryData<string> Expectations => [.. Known];

    /// <summary>Of all formats that libvips reads.</summary>
    private static IEnumerable<string> Known =>
        TestImages.WithExpectation().Where(name => !name.EndsWith(".bmp", StringComparison.Ordinal));

    [Fact]
    public void Decode_HandWrittenGif_GivesItsTwoPixels()
    {
        // A canvas of 1 x 2, two colors, codes of three bits: clear (4), 0, 1, end (5).
        byte[] gif =
        [
            .. "GIF89a"u8, 2, 0, 1, 0, 0x80, 0, 0, 10, 20, 30, 200, 210, 220,
            0x2C, 0, 0, 0, 0, 2, 0, 1, 0, 0, 2, 2, 0b0100_0100, 0b0000_1010, 0, 0x3B,
        ];

        using var image = _decoder.Decode(gif).Image!;

        Assert.Equal(ImageFormat.Gif, image.Format);
        Assert.Equal(new ImageSize(1, 2), image.Size);
        Assert.Equal([10, 20, 30, 200, 210, 220], image.Pixels.ToArray());
    }

    [Theory]
    [MemberData(nameof(Expectations))]
    public void Decode_KnownImage_GivesThePixelsOfPillow(string name)
    {
        var (size, pixels) = TestImages.ReadExpected(name);

        using var image = Decode(name);

        Assert.Equal(size, image.Size);
        Assert.Equal(pixels, image.Pixels.ToArray());
    }

    [Theory]
    [InlineData("rgb.jpg", nameof(ImageFormat.Jpeg))]
    [InlineData("rgb.png", nameof(ImageFormat.Png))]
    [InlineData("lossy.webp", nameof(ImageFormat.Webp))]
    [InlineData("palette.gif", nameof(ImageFormat.Gif))]
    [InlineData("rgb.tif", nameof(ImageFormat.Tiff))]
    [InlineData("rgb.avif", nameof(ImageFormat.Avif))]
    public void Decode_ServedFormat_NamesIt(string name, string format)
    {
        using var image = Decode(name);

        Assert.Equal(format, image.Format.ToString());
    }

    [Fact]
    public void Decode_Cmyk_GivesTheColorsOfTheInks()
    {
        using var image = Decode("cmyk.jpg");

        Assert.Equal(new ImageSize(16, 64), image.Size);
        var (none, cyan, yellow, black) = (Pixel(image, 8), Pixel(image, 24), Pixel(image, 40), Pixel(image, 56));
        Assert.All(none, channel => Assert.InRange(channel, 250, 255));
        Assert.All(black, channel => Assert.InRange(channel, 0, 60));
        Assert.True(cyan[0] < 60 && cyan[1] > 130 && cyan[2] > 200, $"cyan is {string.Join(", ", cyan)}");
        Assert.True(yellow[0] > 240 && yellow[1] > 220 && yellow[2] < 60, $"yellow is {string.Join(", ", yellow)}");
    }

    [Fact]
    public void Decode_ByManyThreads_GivesEveryoneTheirOwn()
    {
        var names = Known.ToArray();

        Parallel.For(0, names.Length * 8, i =>
        {
            var name = names[i % names.Length];
            using var image = Decode(name);
            Assert.Equal(TestImages.ReadExpected(name).Pixels, image.Pixels.ToArray());
        });
    }

    [Fact]
    public void Pixels_AfterDispose_Throws()
    {
        var image = Decode("rgb.png");

        image.Dispose();

        Assert.Throws<ObjectDisposedException>(() => image.Pixels.Length);
    }

    [Theory]
    [InlineData(0L)]
    [InlineData((1L << 33) + 1)]
    public void Constructor_LimitOutOfRange_Throws(long maxPixels) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageDecoder(maxPixels, new VipsCodec()));

    private static int[] Pixel(DecodedImage image, int x)
    {
        var at = (8 * image.Size.Width + x) * 3;
        return [image.Pixels[at], image.Pixels[at + 1], image.Pixels[at + 2]];
    }

    private DecodedImage Decode(string name)
    {
        var outcome = _decoder.Decode(TestImages.Read(name));
        Assert.True(outcome.Succeeded, outcome.Detail);
        return outcome.Image;
    }
}
