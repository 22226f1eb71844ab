using System.Security.Cryptography;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using static Fpn.Detection.Tests.Preprocessing.WrittenImages;

namespace Fpn.Detection.Tests.Preprocessing;

/// <summary>The values of written pixels: worked by hand, against the references, vector against scalar.</summary>
public sealed class PixelNormalizerTests
{
    public static TheoryData<int> Cases => [.. Enumerable.Range(0, ResamplingGoldens.Resampled().Count)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_TwoPixelsToFour_BlendsAtQuarters(bool vectorized)
    {
        // Half-pixel centers: targets 0 … 3 lie at −0.25 (clamped to 0), 0.25, 0.75 and 1.25 (beyond the last) of the
        // source.
        byte[] pixels = [0, 40, 100, 80, 0, 200];

        var tensor = Run(Unscaled, pixels, new ImageSize(1, 2), new ImageSize(1, 4), new ImageSize(1, 4), vectorized);

        Assert.Equal([0, 20, 60, 80, /* green */ 40, 30, 10, 0, /* blue */ 100, 125, 175, 200], tensor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_OnePixelWithPadding_IsNormalizedAndSurroundedByZeros(bool vectorized)
    {
        var options = Usual with { Scale = 0.5f, Mean = [1, 2, 3], Std = [2, 4, 8] };
        var size = new ImageSize(1, 1);

        var tensor = Run(options, [10, 20, 30], size, size, new ImageSize(2, 2), vectorized);

        // (10/2 − 1)/2, (20/2 − 2)/4, (30/2 − 3)/8.
        Assert.Equal([2, 0, 0, 0, 2, 0, 0, 0, 1.5f, 0, 0, 0], tensor);
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.BilinearAntialias)]
    public void Write_Bgr_ExchangesPlanesAndKeepsMeansInTheirOrder(ResizeFilter filter)
    {
        // detectron2: blue first, means in that order too, nothing scaled.
        var options = Unscaled with { ColorOrder = ColorOrder.Bgr, Mean = [1, 2, 3], Resize = filter };
        // Wide enough for whole vectors, two rows high for gathers.
        byte[] pixels = [.. Enumerable.Repeat<byte[]>([10, 20, 30], 2 * 40).SelectMany(pixel => pixel)];
        var size = new ImageSize(2, 40);

        var tensor = Run(options, pixels, size, size, size, vectorized: true);

        Assert.All(tensor[..80], value => Assert.Equal(29, value));
        Assert.All(tensor[80..160], value => Assert.Equal(18, value));
        Assert.All(tensor[160..], value => Assert.Equal(7, value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_PillowFilterHalving_WeighsFourPixels(bool vectorized)
    {
        // Half size: a triangle two pixels wide to each side. Target 0 has its center at 1: weights 3/4, 3/4, 1/4 (and
        // the one beyond the edge left out), normalized: (3·0 + 3·70 + 1·140) / 7 = 50. Target 1 mirrored: (70 + 3·140
        // + 3·210)/7 = 160.
        byte[] pixels = [.. new byte[] { 0, 70, 140, 210 }.SelectMany(value => new[] { value, value, value })];

        var tensor = Run(Pillow, pixels, new ImageSize(1, 4), new ImageSize(1, 2), new ImageSize(1, 2), vectorized);

        Assert.Equal([50, 160, 50, 160, 50, 160], tensor);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Write_Bilinear_EqualsTorch(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var (source, size) = (golden.SourceSize, golden.ResizedSize);

        var tensor = Run(Usual, ResamplingGoldens.Source(source), source, size, size, vectorized: true);

        Assert.All(golden.Torch, sample =>
        {
            var actual = tensor[((int)sample[0] * size.Height + (int)sample[1]) * size.Width + (int)sample[2]];
            Assert.Equal(sample[3], actual, 1e-5);
        });
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Write_BilinearAntialias_EqualsPillowToTheByte(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var (source, size) = (golden.SourceSize, golden.ResizedSize);

        var tensor = Run(Pillow, ResamplingGoldens.Source(source), source, size, size, vectorized: true);

        var bytes = Array.ConvertAll(tensor, value => checked((byte)value));
        Assert.Equal(golden.PillowSha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Write_VectorAndScalar_GiveTheSameBits(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var source = golden.SourceSize;
        var pixels = ResamplingGoldens.Source(source);
        // Odd padding: no row of the tensor is a whole number of vectors, and most start unaligned.
        var padded = new ImageSize(golden.Resized[0] + 3, golden.Resized[1] + 13);

        foreach (var (filter, type) in WrittenImages.Combinations)
        {
            var options = Usual with { Resize = filter };
            using var vector = Write(options, pixels, source, golden.ResizedSize, padded, type, vectorized: true);
            using var scalar = Write(options, pixels, source, golden.ResizedSize, padded, type, vectorized: false);
            Assert.True(
                Bytes(vector).SequenceEqual(Bytes(scalar)), $"{source} to {golden.ResizedSize}, {filter}, {type}");
        }
    }

    [Fact]
    public void Constructor_ImpossibleOptions_Throws()
    {
        InputOptions[] impossible =
        [
            Usual with { Mean = [0, 0] },
            Usual with { Std = [1, 1, 1, 1] },
            Usual with { Std = [1, 0, 1] },
            Usual with { Mean = [0, float.NaN, 0] },
            Usual with { Scale = float.PositiveInfinity },
            Usual with { Scale = 1e37f },
            Usual with { ColorOrder = (ColorOrder)5 },
            Usual with { Resize = (ResizeFilter)5 },
        ];

        Assert.All(impossible, options => Assert.Throws<ArgumentException>(() => new PixelNormalizer(options)));
    }
}
