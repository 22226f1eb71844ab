using System.Security.Cryptography;
using Fpn.Detection.Imaging;

namespace Fpn.Detection.Tests.Imaging;

public sealed class PixelNormalizerTests
{
    private const float Stale = 1e30f;

    private static readonly InputOptions s_usual = new() { MinSize = 800, MaxSize = 1333 };
    private static readonly InputOptions s_bytes = s_usual with { Scale = 1, Mean = [0, 0, 0], Std = [1, 1, 1] };
    private static readonly InputOptions s_pillow = s_bytes with { Resize = ResizeFilter.BilinearAntialias };

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, ResamplingGoldens.Resampled().Count)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Normalize_TwoPixelsToFour_BlendsAtQuarters(bool vectorised)
    {
        // Half-pixel centres: targets 0 … 3 lie at −0.25 (clamped to 0), 0.25, 0.75 and 1.25 (beyond the last) of the source.
        byte[] pixels = [0, 40, 100, 80, 0, 200];

        var tensor = Run(s_bytes, pixels, new ImageSize(1, 2), new ImageSize(1, 4), new ImageSize(1, 4), vectorised);

        Assert.Equal([0, 20, 60, 80, /* green */ 40, 30, 10, 0, /* blue */ 100, 125, 175, 200], tensor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Normalize_OnePixelWithPadding_IsNormalisedAndSurroundedByZeros(bool vectorised)
    {
        var options = s_usual with { Scale = 0.5f, Mean = [1, 2, 3], Std = [2, 4, 8] };

        var tensor = Run(options, [10, 20, 30], new ImageSize(1, 1), new ImageSize(1, 1), new ImageSize(2, 2), vectorised);

        // (10/2 − 1)/2, (20/2 − 2)/4, (30/2 − 3)/8.
        Assert.Equal([2, 0, 0, 0, 2, 0, 0, 0, 1.5f, 0, 0, 0], tensor);
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.BilinearAntialias)]
    public void Normalize_Bgr_ExchangesPlanesAndKeepsMeansInTheirOrder(ResizeFilter filter)
    {
        // detectron2: blue first, means in that order too, nothing scaled.
        var options = s_bytes with { ColorOrder = ColorOrder.Bgr, Mean = [1, 2, 3], Resize = filter };
        // Wide enough for whole vectors, two rows high for gathers.
        byte[] pixels = [.. Enumerable.Repeat<byte[]>([10, 20, 30], 2 * 40).SelectMany(pixel => pixel)];
        var size = new ImageSize(2, 40);

        var tensor = Run(options, pixels, size, size, size, vectorised: true);

        Assert.All(tensor[..80], value => Assert.Equal(29, value));
        Assert.All(tensor[80..160], value => Assert.Equal(18, value));
        Assert.All(tensor[160..], value => Assert.Equal(7, value));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Normalize_PillowFilterHalving_WeighsFourPixels(bool vectorised)
    {
        // Half size: a triangle two pixels wide to each side. Target 0 has its centre at 1: weights 3/4, 3/4, 1/4 (and the
        // one beyond the edge left out), normalised: (3·0 + 3·70 + 1·140) / 7 = 50. Target 1 mirrored: (70 + 3·140 + 3·210)/7 = 160.
        byte[] pixels = [.. new byte[] { 0, 70, 140, 210 }.SelectMany(value => new[] { value, value, value })];

        var tensor = Run(s_pillow, pixels, new ImageSize(1, 4), new ImageSize(1, 2), new ImageSize(1, 2), vectorised);

        Assert.Equal([50, 160, 50, 160, 50, 160], tensor);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Normalize_Bilinear_EqualsTorch(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var size = golden.ResizedSize;

        var tensor = Run(s_usual, ResamplingGoldens.Source(golden.SourceSize), golden.SourceSize, size, size, vectorised: true);

        Assert.All(golden.Torch, sample =>
        {
            var actual = tensor[((int)sample[0] * size.Height + (int)sample[1]) * size.Width + (int)sample[2]];
            Assert.Equal(sample[3], actual, 1e-5);
        });
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Normalize_BilinearAntialias_EqualsPillowToTheByte(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var size = golden.ResizedSize;

        var tensor = Run(s_pillow, ResamplingGoldens.Source(golden.SourceSize), golden.SourceSize, size, size, vectorised: true);

        var bytes = Array.ConvertAll(tensor, value => checked((byte)value));
        Assert.Equal(golden.PillowSha256, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Normalize_VectorAndScalar_GiveTheSameBits(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var source = golden.SourceSize;
        var pixels = ResamplingGoldens.Source(source);
        // Odd padding: no row of the tensor is a whole number of vectors, and most start unaligned.
        var padded = new ImageSize(golden.Resized[0] + 3, golden.Resized[1] + 13);

        foreach (var options in (InputOptions[])[s_usual, s_usual with { Resize = ResizeFilter.BilinearAntialias }])
        {
            var vector = Run(options, pixels, source, golden.ResizedSize, padded, vectorised: true);
            var scalar = Run(options, pixels, source, golden.ResizedSize, padded, vectorised: false);
            Assert.True(vector.AsSpan().SequenceEqual(scalar), $"{source} to {golden.ResizedSize} with {options.Resize}");
        }
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.BilinearAntialias)]
    public void Normalize_EveryWidthAndShift_WritesAllOfTheTensorAndNothingElse(ResizeFilter filter)
    {
        var normalizer = new PixelNormalizer(s_usual with { Resize = filter });
        for (var width = 1; width <= 40; width++)
        {
            var source = new ImageSize(3, 41 - width);
            var resized = new ImageSize(4, width);
            var padded = new ImageSize(5, width + width % 7);
            var guarded = new float[padded.Area * 3 + 2];
            Array.Fill(guarded, Stale);

            normalizer.Normalize(ResamplingGoldens.Source(source), source, resized, padded, guarded.AsSpan(1..^1));

            Assert.Equal(Stale, guarded[0]);
            Assert.Equal(Stale, guarded[^1]);
            for (var i = 0; i < guarded.Length - 2; i++)
            {
                var (y, x) = (i / padded.Width % padded.Height, i % padded.Width);
                var inside = y < resized.Height && x < resized.Width;
                Assert.True(inside ? MathF.Abs(guarded[i + 1]) < 3 : guarded[i + 1] == 0, $"width {width}, row {y}, column {x}");
            }
        }
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.BilinearAntialias)]
    public void Normalize_AgainAndAgain_AllocatesNothing(ResizeFilter filter)
    {
        var normalizer = new PixelNormalizer(s_usual with { Resize = filter });
        var (source, resized, padded) = (new ImageSize(30, 40), new ImageSize(50, 66), new ImageSize(64, 96));
        var pixels = ResamplingGoldens.Source(source);
        var tensor = new float[padded.Area * 3];
        normalizer.Normalize(pixels, source, resized, padded, tensor);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
        {
            normalizer.Normalize(pixels, source, resized, padded, tensor);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Normalize_SizesThatDoNotFit_Throws()
    {
        var normalizer = new PixelNormalizer(s_usual);
        var two = new ImageSize(2, 2);

        Assert.Throws<ArgumentException>(() => normalizer.Normalize(new byte[11], two, two, two, new float[12]));
        Assert.Throws<ArgumentException>(() => normalizer.Normalize(new byte[12], two, two, two, new float[13]));
        Assert.Throws<ArgumentException>(() => normalizer.Normalize(new byte[12], two, two, new ImageSize(1, 2), new float[6]));
        Assert.Throws<ArgumentException>(() => normalizer.Normalize([], new ImageSize(0, 2), two, two, new float[12]));
        Assert.Throws<ArgumentException>(() => normalizer.Normalize(new byte[12], two, new ImageSize(2, 0), two, new float[12]));
    }

    [Fact]
    public void Constructor_ImpossibleOptions_Throws()
    {
        InputOptions[] impossible =
        [
            s_usual with { Mean = [0, 0] },
            s_usual with { Std = [1, 1, 1, 1] },
            s_usual with { Std = [1, 0, 1] },
            s_usual with { Mean = [0, float.NaN, 0] },
            s_usual with { Scale = float.PositiveInfinity },
            s_usual with { ColorOrder = (ColorOrder)5 },
            s_usual with { Resize = (ResizeFilter)5 },
        ];

        Assert.All(impossible, options => Assert.Throws<ArgumentException>(() => new PixelNormalizer(options)));
    }

    private static float[] Run(InputOptions options, byte[] pixels, ImageSize source, ImageSize resized, ImageSize padded, bool vectorised)
    {
        var normalizer = new PixelNormalizer(options);
        var tensor = new float[padded.Area * 3];
        Array.Fill(tensor, Stale);
        if (vectorised)
        {
            normalizer.Normalize(pixels, source, resized, padded, tensor);
        }
        else
        {
            normalizer.NormalizeScalar(pixels, source, resized, padded, tensor);
        }

        return tensor;
    }
}
