using System.Security.Cryptography;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.Preprocessing;

public sealed class PixelNormalizerTests
{
    /// <summary>In every byte of a tensor before it is written: a huge number as a float, and one as a half.</summary>
    private const byte Stale = 0x7A;

    private static readonly InputOptions s_usual = new() { MinSize = 800, MaxSize = 1333 };
    private static readonly InputOptions s_bytes = s_usual with { Scale = 1, Mean = [0, 0, 0], Std = [1, 1, 1] };
    private static readonly InputOptions s_pillow = s_bytes with { Resize = ResizeFilter.BilinearAntialias };

    /// <summary>Every filter with every type that it can make.</summary>
    private static readonly (ResizeFilter Filter, PixelType Type)[] s_combinations =
    [
        (ResizeFilter.Bilinear, PixelType.Float32),
        (ResizeFilter.Bilinear, PixelType.Float16),
        (ResizeFilter.BilinearAntialias, PixelType.Float32),
        (ResizeFilter.BilinearAntialias, PixelType.Float16),
        (ResizeFilter.BilinearAntialias, PixelType.UInt8),
    ];

    public static TheoryData<ResizeFilter, PixelType> Combinations => [.. s_combinations];

    /// <summary>Height and width before and after: equal, larger, smaller, both at once, single pixels, rows, columns.</summary>
    public static TheoryData<int, int, int, int> SmallSizes => new()
    {
        { 1, 1, 1, 1 }, { 1, 1, 7, 33 }, { 9, 21, 1, 1 }, { 1, 40, 1, 17 }, { 40, 1, 16, 1 }, { 13, 35, 13, 35 },
        { 12, 16, 20, 27 }, { 50, 71, 23, 32 }, { 31, 8, 12, 48 }, { 8, 90, 31, 15 }, { 24, 32, 25, 33 },
    };

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, ResamplingGoldens.Resampled().Count)];

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_TwoPixelsToFour_BlendsAtQuarters(bool vectorised)
    {
        // Half-pixel centres: targets 0 … 3 lie at −0.25 (clamped to 0), 0.25, 0.75 and 1.25 (beyond the last) of the source.
        byte[] pixels = [0, 40, 100, 80, 0, 200];

        var tensor = Run(s_bytes, pixels, new ImageSize(1, 2), new ImageSize(1, 4), new ImageSize(1, 4), vectorised);

        Assert.Equal([0, 20, 60, 80, /* green */ 40, 30, 10, 0, /* blue */ 100, 125, 175, 200], tensor);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Write_OnePixelWithPadding_IsNormalisedAndSurroundedByZeros(bool vectorised)
    {
        var options = s_usual with { Scale = 0.5f, Mean = [1, 2, 3], Std = [2, 4, 8] };

        var tensor = Run(options, [10, 20, 30], new ImageSize(1, 1), new ImageSize(1, 1), new ImageSize(2, 2), vectorised);

        // (10/2 − 1)/2, (20/2 − 2)/4, (30/2 − 3)/8.
        Assert.Equal([2, 0, 0, 0, 2, 0, 0, 0, 1.5f, 0, 0, 0], tensor);
    }

    [Theory]
    [InlineData(ResizeFilter.Bilinear)]
    [InlineData(ResizeFilter.BilinearAntialias)]
    public void Write_Bgr_ExchangesPlanesAndKeepsMeansInTheirOrder(ResizeFilter filter)
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
    public void Write_PillowFilterHalving_WeighsFourPixels(bool vectorised)
    {
        // Half size: a triangle two pixels wide to each side. Target 0 has its centre at 1: weights 3/4, 3/4, 1/4 (and the
        // one beyond the edge left out), normalised: (3·0 + 3·70 + 1·140) / 7 = 50. Target 1 mirrored: (70 + 3·140 + 3·210)/7 = 160.
        byte[] pixels = [.. new byte[] { 0, 70, 140, 210 }.SelectMany(value => new[] { value, value, value })];

        var tensor = Run(s_pillow, pixels, new ImageSize(1, 4), new ImageSize(1, 2), new ImageSize(1, 2), vectorised);

        Assert.Equal([50, 160, 50, 160, 50, 160], tensor);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Write_Bilinear_EqualsTorch(int index)
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
    public void Write_BilinearAntialias_EqualsPillowToTheByte(int index)
    {
        var golden = ResamplingGoldens.Resampled()[index];
        var size = golden.ResizedSize;

        var tensor = Run(s_pillow, ResamplingGoldens.Source(golden.SourceSize), golden.SourceSize, size, size, vectorised: true);

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

        foreach (var (filter, type) in s_combinations)
        {
            var options = s_usual with { Resize = filter };
            using var vector = Write(options, pixels, source, golden.ResizedSize, padded, type, vectorised: true);
            using var scalar = Write(options, pixels, source, golden.ResizedSize, padded, type, vectorised: false);
            Assert.True(Bytes(vector).SequenceEqual(Bytes(scalar)), $"{source} to {golden.ResizedSize}, {filter}, {type}");
        }
    }

    [Theory]
    [MemberData(nameof(SmallSizes))]
    public void Write_Halves_AreTheFloatsRounded(int height, int width, int newHeight, int newWidth)
    {
        var (source, resized) = (new ImageSize(height, width), new ImageSize(newHeight, newWidth));
        var padded = new ImageSize(newHeight + 2, newWidth + 5);
        var pixels = ResamplingGoldens.Source(source);

        foreach (var filter in Enum.GetValues<ResizeFilter>())
        {
            foreach (var vectorised in (bool[])[true, false])
            {
                // Unscaled blends of bytes have more bits than a half: most are rounded, many at ties.
                foreach (var options in (InputOptions[])[s_usual with { Resize = filter }, s_bytes with { Resize = filter }])
                {
                    using var floats = Write(options, pixels, source, resized, padded, PixelType.Float32, vectorised);
                    using var halves = Write(options, pixels, source, resized, padded, PixelType.Float16, vectorised);
                    var expected = Array.ConvertAll(floats.Image<float>(0).ToArray(), value => (Half)value);
                    Assert.Equal(expected, halves.Image<Half>(0).ToArray());
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(SmallSizes))]
    public void Write_Bytes_AreWhatFloatsAreNormalisedFrom(int height, int width, int newHeight, int newWidth)
    {
        var (source, resized) = (new ImageSize(height, width), new ImageSize(newHeight, newWidth));
        var padded = new ImageSize(newHeight + 2, newWidth + 5);
        var pixels = ResamplingGoldens.Source(source);
        // The colour order and all numbers differ from plane to plane; bytes are red, green, blue all the same.
        var options = s_usual with { Resize = ResizeFilter.BilinearAntialias, ColorOrder = ColorOrder.Bgr };

        foreach (var vectorised in (bool[])[true, false])
        {
            using var batch = Write(options, pixels, source, resized, padded, PixelType.UInt8, vectorised);
            using var normalised = Write(options, pixels, source, resized, padded, PixelType.Float32, vectorised);
            var bytes = batch.Image<byte>(0);
            var floats = normalised.Image<float>(0);
            for (var i = 0; i < bytes.Length; i++)
            {
                var (y, x, channel) = (i / 3 / padded.Width, i / 3 % padded.Width, i % 3);
                var plane = PlaneNormalization.FromOptions(options)[2 - channel];
                var inside = y < resized.Height && x < resized.Width;
                var expected = inside ? bytes[i] * plane.Multiplier + plane.Offset : bytes[i];
                var actual = floats[((2 - channel) * padded.Height + y) * padded.Width + x];
                Assert.True(expected == actual, $"row {y}, column {x}, channel {channel}: byte {bytes[i]} is {expected}, not {actual}");
            }
        }
    }

    [Fact]
    public void Write_BytesOfTheSameSize_AreThePixelsWithPadding()
    {
        byte[] pixels = [1, 2, 3, 4, 5, 6];
        var size = new ImageSize(1, 2);

        using var batch = Write(s_pillow, pixels, size, size, new ImageSize(2, 3), PixelType.UInt8, vectorised: true);

        Assert.Equal([1, 2, 3, 4, 5, 6, 0, 0, 0, /* second row */ 0, 0, 0, 0, 0, 0, 0, 0, 0], batch.Image<byte>(0).ToArray());
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Write_EveryWidthAndShift_WritesAllOfTheImageAndNothingElse(ResizeFilter filter, PixelType type)
    {
        var normalizer = new PixelNormalizer(s_usual with { Resize = filter });
        for (var width = 1; width <= 40; width++)
        {
            var source = new ImageSize(3, 41 - width);
            var resized = new ImageSize(4, width);
            var padded = new ImageSize(5, width + width % 7);
            using var batch = ImageBatch.Rent(3, padded, type);
            Bytes(batch).Fill(Stale);

            normalizer.Write(ResamplingGoldens.Source(source), source, resized, batch, 1);

            var image = (int)batch.ByteLength / 3;
            Assert.False(Bytes(batch)[..image].ContainsAnyExcept(Stale));
            Assert.False(Bytes(batch)[(2 * image)..].ContainsAnyExcept(Stale));
            AssertWritten(batch, resized);
        }
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Write_AgainAndAgain_AllocatesNothing(ResizeFilter filter, PixelType type)
    {
        var normalizer = new PixelNormalizer(s_usual with { Resize = filter });
        var (source, resized) = (new ImageSize(30, 40), new ImageSize(50, 66));
        var pixels = ResamplingGoldens.Source(source);
        using var batch = ImageBatch.Rent(2, new ImageSize(64, 96), type);
        normalizer.Write(pixels, source, resized, batch, 0);
        batch.Clear(1);
        var before = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 100; i++)
        {
            normalizer.Write(pixels, source, resized, batch, 0);
            batch.Clear(1);
        }

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Write_SizesThatDoNotFit_Throws()
    {
        var normalizer = new PixelNormalizer(s_usual);
        var two = new ImageSize(2, 2);
        using var batch = ImageBatch.Rent(1, two);
        using var low = ImageBatch.Rent(1, new ImageSize(1, 2));
        using var narrow = ImageBatch.Rent(1, new ImageSize(2, 1));

        Assert.Throws<ArgumentException>(() => normalizer.Write(new byte[11], two, two, batch, 0));
        Assert.Throws<ArgumentException>(() => normalizer.Write(new byte[12], two, two, low, 0));
        Assert.Throws<ArgumentException>(() => normalizer.Write(new byte[12], two, two, narrow, 0));
        Assert.Throws<ArgumentException>(() => normalizer.Write([], new ImageSize(0, 2), two, batch, 0));
        Assert.Throws<ArgumentException>(() => normalizer.Write(new byte[12], two, new ImageSize(2, 0), batch, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => normalizer.Write(new byte[12], two, two, batch, 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => normalizer.Write(new byte[12], two, two, batch, -1));
    }

    [Fact]
    public void Write_BytesOfAFilterOnFloats_Throws()
    {
        var size = new ImageSize(1, 1);
        using var batch = ImageBatch.Rent(1, size, PixelType.UInt8);

        Assert.Throws<ArgumentException>(() => new PixelNormalizer(s_usual).Write(new byte[3], size, size, batch, 0));
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Write_DisposedBatch_Throws(ResizeFilter filter, PixelType type)
    {
        var size = new ImageSize(1, 1);
        var batch = ImageBatch.Rent(1, size, type);
        batch.Dispose();

        var normalizer = new PixelNormalizer(s_usual with { Resize = filter });

        Assert.Throws<ObjectDisposedException>(() => normalizer.Write(new byte[3], size, size, batch, 0));
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
            s_usual with { Scale = 1e37f },
            s_usual with { ColorOrder = (ColorOrder)5 },
            s_usual with { Resize = (ResizeFilter)5 },
        ];

        Assert.All(impossible, options => Assert.Throws<ArgumentException>(() => new PixelNormalizer(options)));
    }

    /// <summary>Every value inside the image is one that normalised pixels can have, everything else is 0.</summary>
    private static void AssertWritten(ImageBatch batch, ImageSize resized)
    {
        var isBytes = batch.Type == PixelType.UInt8;
        for (var i = 0; i < batch.ImageLength; i++)
        {
            var value = batch.Type switch
            {
                PixelType.Float32 => batch.Image<float>(1)[i],
                PixelType.Float16 => (float)batch.Image<Half>(1)[i],
                _ => batch.Image<byte>(1)[i],
            };
            var pixel = isBytes ? i / 3 : i;
            var (y, x) = (pixel / batch.Size.Width % batch.Size.Height, pixel % batch.Size.Width);
            // Any byte is a pixel: that those inside are the right ones is for other tests to say.
            var fits = y < resized.Height && x < resized.Width ? isBytes || MathF.Abs(value) < 3 : value == 0;
            Assert.True(fits, $"{batch.Size}, {batch.Type}, row {y}, column {x}: {value}");
        }
    }

    private static float[] Run(InputOptions options, byte[] pixels, ImageSize source, ImageSize resized, ImageSize padded, bool vectorised)
    {
        using var batch = Write(options, pixels, source, resized, padded, PixelType.Float32, vectorised);
        return batch.Image<float>(0).ToArray();
    }

    private static ImageBatch Write(
        InputOptions options, byte[] pixels, ImageSize source, ImageSize resized, ImageSize padded, PixelType type, bool vectorised)
    {
        var normalizer = new PixelNormalizer(options);
        var batch = ImageBatch.Rent(1, padded, type);
        Bytes(batch).Fill(Stale);
        if (vectorised)
        {
            normalizer.Write(pixels, source, resized, batch, 0);
        }
        else
        {
            normalizer.WriteScalar(pixels, source, resized, batch, 0);
        }

        return batch;
    }

    private static unsafe Span<byte> Bytes(ImageBatch batch) => new((void*)batch.Address, (int)batch.ByteLength);
}
