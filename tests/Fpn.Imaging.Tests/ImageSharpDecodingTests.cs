using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.ImageSharp;
using Fpn.Imaging.Vips;
using Fpn.Testing.Images;

namespace Fpn.Imaging.Tests;

/// <summary>What ImageSharp makes of the well-formed images: the same numbers, but for JPEG's.</summary>
public sealed class ImageSharpDecodingTests
{
    /// <summary>Largest difference of a byte: its inverse transform and its chroma are not libjpeg's.</summary>
    private const int JpegDifference = 13;

    private readonly ImageDecoder _managed = new(40_000_000, new ImageSharpCodec(40_000_000));
    private readonly ImageDecoder _both =
        new(40_000_000, new VipsCodec(), new ImageSharpCodec(40_000_000, ImageFormat.Bmp));

    public static TheoryData<string> Expectations => [.. TestImages.WithExpectation()];

    public static TheoryData<string> Bitmaps =>
        [.. TestImages.WithExpectation().Where(name => name.EndsWith(".bmp", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Expectations))]
    public void Decode_KnownImage_GivesThePixelsOfPillowOrNearly(string name)
    {
        var (size, pixels) = TestImages.ReadExpected(name);

        var outcome = _managed.Decode(TestImages.Read(name));

        if (IsNotRead(name))
        {
            Assert.False(outcome.Succeeded);
            return;
        }

        Assert.True(outcome.Succeeded, outcome.Detail);
        using var image = outcome.Image;
        Assert.Equal(size, image.Size);
        var decoded = image.Pixels.ToArray();
        var differences = pixels.Zip(decoded, (one, two) => Math.Abs(one - two)).ToArray();
        if (HasHalfTheChroma(name))
        {
            // It repeats chroma where libjpeg interpolates, which shows at the sharp corner of so small a picture.
            Assert.InRange(differences.Average(), 0, 8);
        }
        else
        {
            Assert.InRange(differences.Max(), 0, IsLossy(name) ? JpegDifference : 0);
        }
    }

    [Theory]
    [MemberData(nameof(Bitmaps))]
    public void Decode_Bmp_IsServedBesideLibvips(string name)
    {
        var (size, pixels) = TestImages.ReadExpected(name);

        using var image = _both.Decode(TestImages.Read(name)).Image;

        Assert.Equal((ImageFormat.Bmp, size), (image!.Format, image.Size));
        Assert.Equal(pixels, image.Pixels.ToArray());
    }

    [Theory]
    [InlineData(30, 1, "run-length")]
    [InlineData(30, 2, "run-length")]
    [InlineData(30, 4, "compression (4)")]
    [InlineData(28, 16, "16 bits")]
    [InlineData(28, 1, "1 bits")]
    [InlineData(18, 0, "no pixels")]
    [InlineData(22, 0, "no pixels")]
    [InlineData(18, 1000, "end is missing")]
    [InlineData(10, 5, "end is missing")]
    public void Decode_BmpThatIsNotServed_IsRefusedByItsHeader(int at, int value, string reason)
    {
        var bmp = TestImages.Read("palette.bmp");
        bmp.AsSpan(at, at == 28 ? 2 : 4).Clear();
        (bmp[at], bmp[at + 1]) = ((byte)value, (byte)(value >> 8));

        var outcome = _both.Decode(bmp);

        Assert.Equal(DecodeFailure.Undecodable, outcome.Failure);
        Assert.Contains(reason, outcome.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_BmpOfTooManyPixels_IsRefusedBeforeItsEndIsLookedFor()
    {
        var bmp = TestImages.Read("rgb.bmp");
        (bmp[18], bmp[19], bmp[20], bmp[22], bmp[23], bmp[24]) = (0, 0, 1, 0, 0, 1);

        Assert.Equal(DecodeFailure.TooManyPixels, _both.Decode(bmp).Failure);
    }

    [Fact]
    public void Decode_BmpCutAnywhere_IsNeverAPicture()
    {
        var bmp = TestImages.Read("rgb.bmp");
        for (var length = 0; length < bmp.Length; length++)
        {
            Assert.False(_both.Decode(bmp.AsSpan(0, length)).Succeeded);
        }
    }

    private static bool IsNotRead(string name) =>
        name is "rgb.avif" or "animated.webp" or "cmyk.jpg" or "inks.jpg" or "inks-unmarked.jpg"
        or "inks.tif" or "bilevel.tif";

    private static bool HasHalfTheChroma(string name) => name is "profile.jpg" or "progressive.jpg" or "subsampled.jpg";

    private static bool IsLossy(string name) => name.EndsWith(".jpg", StringComparison.Ordinal) || name is "jpeg.tif";
}
