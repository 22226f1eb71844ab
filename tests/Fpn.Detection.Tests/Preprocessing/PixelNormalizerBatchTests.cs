using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;
using static Fpn.Detection.Tests.Preprocessing.WrittenImages;

namespace Fpn.Detection.Tests.Preprocessing;

/// <summary>Every type of tensor: what is written where, without allocating, and what is refused.</summary>
public sealed class PixelNormalizerBatchTests
{
    public static TheoryData<ResizeFilter, PixelType> Combinations => [.. WrittenImages.Combinations];

    /// <summary>Height and width before and after: equal, larger, smaller, both at once, single pixels, rows,
    /// columns.</summary>
    public static TheoryData<int, int, int, int> SmallSizes => new()
    {
        { 1, 1, 1, 1 }, { 1, 1, 7, 33 }, { 9, 21, 1, 1 }, { 1, 40, 1, 17 }, { 40, 1, 16, 1 }, { 13, 35, 13, 35 },
        { 12, 16, 20, 27 }, { 50, 71, 23, 32 }, { 31, 8, 12, 48 }, { 8, 90, 31, 15 }, { 24, 32, 25, 33 },
    };

    [Theory]
    [MemberData(nameof(SmallSizes))]
    public void Write_Halves_AreTheFloatsRounded(int height, int width, int newHeight, int newWidth)
    {
        var (source, resized) = (new ImageSize(height, width), new ImageSize(newHeight, newWidth));
        var padded = new ImageSize(newHeight + 2, newWidth + 5);
        var pixels = ResamplingGoldens.Source(source);

        foreach (var filter in Enum.GetValues<ResizeFilter>())
        {
            foreach (var vectorized in (bool[])[true, false])
            {
                // Unscaled blends of bytes have more bits than a half: most are rounded, many at ties.
                foreach (var usual in (InputOptions[])[Usual, Unscaled])
                {
                    var options = usual with { Resize = filter };
                    using var floats = Write(options, pixels, source, resized, padded, PixelType.Float32, vectorized);
                    using var halves = Write(options, pixels, source, resized, padded, PixelType.Float16, vectorized);
                    var expected = Array.ConvertAll(floats.Image<float>(0).ToArray(), value => (Half)value);
                    Assert.Equal(expected, halves.Image<Half>(0).ToArray());
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(SmallSizes))]
    public void Write_Bytes_AreWhatFloatsAreNormalizedFrom(int height, int width, int newHeight, int newWidth)
    {
        var (source, resized) = (new ImageSize(height, width), new ImageSize(newHeight, newWidth));
        var padded = new ImageSize(newHeight + 2, newWidth + 5);
        var pixels = ResamplingGoldens.Source(source);
        // The color order and all numbers differ from plane to plane; bytes are red, green, blue all the same.
        var options = Usual with { Resize = ResizeFilter.BilinearAntialias, ColorOrder = ColorOrder.Bgr };

        foreach (var vectorized in (bool[])[true, false])
        {
            using var batch = Write(options, pixels, source, resized, padded, PixelType.UInt8, vectorized);
            using var normalized = Write(options, pixels, source, resized, padded, PixelType.Float32, vectorized);
            var bytes = batch.Image<byte>(0);
            var floats = normalized.Image<float>(0);
            for (var i = 0; i < bytes.Length; i++)
            {
                var (y, x, channel) = (i / 3 / padded.Width, i / 3 % padded.Width, i % 3);
                var plane = PlaneNormalization.FromOptions(options)[2 - channel];
                var inside = y < resized.Height && x < resized.Width;
                var expected = inside ? bytes[i] * plane.Multiplier + plane.Offset : bytes[i];
                var actual = floats[((2 - channel) * padded.Height + y) * padded.Width + x];
                Assert.True(
                    expected == actual,
                    $"row {y}, column {x}, channel {channel}: byte {bytes[i]} is {expected}, not {actual}");
            }
        }
    }

    [Fact]
    public void Write_BytesOfTheSameSize_AreThePixelsWithPadding()
    {
        byte[] pixels = [1, 2, 3, 4, 5, 6];
        var size = new ImageSize(1, 2);

        using var batch = Write(Pillow, pixels, size, size, new ImageSize(2, 3), PixelType.UInt8, vectorized: true);

        byte[] firstRow = [1, 2, 3, 4, 5, 6, 0, 0, 0];
        Assert.Equal([.. firstRow, .. new byte[9]], batch.Image<byte>(0).ToArray());
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Write_EveryWidthAndShift_WritesAllOfTheImageAndNothingElse(ResizeFilter filter, PixelType type)
    {
        var normalizer = new PixelNormalizer(Usual with { Resize = filter });
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
        var normalizer = new PixelNormalizer(Usual with { Resize = filter });
        var (source, resized) = (new ImageSize(30, 40), new ImageSize(50, 66));
        var pixels = ResamplingGoldens.Source(source);
        using var batch = ImageBatch.Rent(2, new ImageSize(64, 96), type);
        normalizer.Write(pixels, source, resized, batch, 0);
        batch.Clear(1);

        // The runtime itself allocates now and then on this thread; code that allocates does so every time.
        Assert.Contains(0, Enumerable.Range(0, 10).Select(_ => AllocatedBytes()));

        long AllocatedBytes()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < 100; i++)
            {
                normalizer.Write(pixels, source, resized, batch, 0);
                batch.Clear(1);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void Write_SizesThatDoNotFit_Throws()
    {
        var normalizer = new PixelNormalizer(Usual);
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

        Assert.Throws<ArgumentException>(() => new PixelNormalizer(Usual).Write(new byte[3], size, size, batch, 0));
    }

    [Theory]
    [MemberData(nameof(Combinations))]
    public void Write_DisposedBatch_Throws(ResizeFilter filter, PixelType type)
    {
        var size = new ImageSize(1, 1);
        var batch = ImageBatch.Rent(1, size, type);
        batch.Dispose();

        var normalizer = new PixelNormalizer(Usual with { Resize = filter });

        Assert.Throws<ObjectDisposedException>(() => normalizer.Write(new byte[3], size, size, batch, 0));
    }

    /// <summary>Every value inside the image is one that normalized pixels can have, everything else is 0.</summary>
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
            // Any byte can be a pixel; other tests compare the values.
            var fits = y < resized.Height && x < resized.Width ? isBytes || MathF.Abs(value) < 3 : value == 0;
            Assert.True(fits, $"{batch.Size}, {batch.Type}, row {y}, column {x}: {value}");
        }
    }
}
