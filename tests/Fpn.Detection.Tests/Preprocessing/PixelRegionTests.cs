using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.Preprocessing;

/// <summary>A region of a picture gives the same values as if it had been cut out, and mirrored ones the same values
/// the other way round.</summary>
public sealed class PixelRegionTests
{
    private static readonly ImageSize Picture = new(37, 61);

    public static TheoryData<ResizeFilter, PixelType, bool> Ways { get; } = new()
    {
        { ResizeFilter.Bilinear, PixelType.Float32, true },
        { ResizeFilter.Bilinear, PixelType.Float32, false },
        { ResizeFilter.Bilinear, PixelType.Float16, true },
        { ResizeFilter.BilinearAntialias, PixelType.Float32, true },
        { ResizeFilter.BilinearAntialias, PixelType.Float32, false },
        { ResizeFilter.BilinearAntialias, PixelType.UInt8, true },
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public void Write_Region_EqualsTheRegionCutOut(ResizeFilter filter, PixelType type, bool vectorized)
    {
        var pixels = Pixels();
        foreach (var (rectangle, resized) in Cases())
        {
            var cut = Cut(pixels, rectangle);
            using var expected = Write(new PixelRegion(cut, rectangle.Size, new PixelRectangle(rectangle.Size)));
            using var actual = Write(new PixelRegion(pixels, Picture, rectangle));
            Assert.Equal(WrittenImages.Bytes(expected), WrittenImages.Bytes(actual));

            ImageBatch Write(in PixelRegion region) =>
                PixelRegionTests.Write(region, resized, filter, type, vectorized);
        }
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void Write_Mirrored_EqualsTheResizedRegionTheOtherWayRound(
        ResizeFilter filter, PixelType type, bool vectorized)
    {
        var pixels = Pixels();
        foreach (var (rectangle, resized) in Cases())
        {
            using var plain = Write(
                new PixelRegion(pixels, Picture, rectangle), resized, filter, type, vectorized);
            using var mirrored = Write(
                new PixelRegion(pixels, Picture, rectangle) { IsMirrored = true }, resized, filter, type, vectorized);
            Assert.Equal(Mirror(plain, resized), WrittenImages.Bytes(mirrored));
        }
    }

    [Fact]
    public void New_BeyondThePicture_Throws()
    {
        var pixels = Pixels();
        Assert.All(
            [
                new PixelRectangle(-1, 0, 5, 5),
                new PixelRectangle(0, 0, 62, 5),
                new PixelRectangle(0, 30, 5, 38),
                new PixelRectangle(5, 5, 5, 10),
                new PixelRectangle(5, 10, 10, 5),
            ],
            rectangle => Assert.Throws<ArgumentException>(() => _ = new PixelRegion(pixels, Picture, rectangle)));
        Assert.Throws<ArgumentException>(
            () => _ = new PixelRegion(pixels.AsSpan(1), Picture, new PixelRectangle(Picture)));
    }

    private static IEnumerable<(PixelRectangle Rectangle, ImageSize Resized)> Cases() =>
    [
        (new PixelRectangle(Picture), new ImageSize(20, 33)),
        (new PixelRectangle(7, 3, 40, 30), new ImageSize(27, 33)),
        (new PixelRectangle(0, 0, 17, 9), new ImageSize(23, 40)),
        (new PixelRectangle(44, 28, 61, 37), new ImageSize(23, 41)),
        (new PixelRectangle(60, 36, 61, 37), new ImageSize(3, 5)),
    ];

    private static byte[] Pixels()
    {
        var pixels = new byte[Picture.Area * 3];
        new Random(18).NextBytes(pixels);
        return pixels;
    }

    private static byte[] Cut(byte[] pixels, PixelRectangle rectangle)
    {
        var (height, width) = rectangle.Size;
        var cut = new byte[height * width * 3];
        for (var y = 0; y < height; y++)
        {
            var row = ((rectangle.Top + y) * Picture.Width + rectangle.Left) * 3;
            pixels.AsSpan(row, width * 3).CopyTo(cut.AsSpan(y * width * 3));
        }

        return cut;
    }

    private static ImageBatch Write(
        in PixelRegion region, ImageSize resized, ResizeFilter filter, PixelType type, bool vectorized)
    {
        var options = new InputOptions { MinSize = 1, MaxSize = 1, Resize = filter };
        var padded = new ImageSize(32, 64);
        var batch = ImageBatch.Rent(1, padded, type);
        if (vectorized)
        {
            new PixelNormalizer(options).Write(region, resized, batch, 0);
        }
        else
        {
            new PixelNormalizer(options).WriteScalar(region, resized, batch, 0);
        }

        return batch;
    }

    /// <summary>Turns the columns of the image around; the padding stays.</summary>
    private static byte[] Mirror(ImageBatch batch, ImageSize resized)
    {
        var bytes = WrittenImages.Bytes(batch).ToArray();
        var mirrored = (byte[])bytes.Clone();
        var (padded, isBytes) = (batch.Size, batch.Type == PixelType.UInt8);

        // Planes of numbers, or one plane of pixels.
        var (planes, element) = isBytes ? (1, 3) : (3, batch.Type == PixelType.Float16 ? 2 : 4);
        for (var plane = 0; plane < planes; plane++)
        {
            for (var y = 0; y < resized.Height; y++)
            {
                var row = (plane * padded.Height + y) * padded.Width * element;
                for (var x = 0; x < resized.Width; x++)
                {
                    bytes.AsSpan(row + (resized.Width - 1 - x) * element, element)
                        .CopyTo(mirrored.AsSpan(row + x * element));
                }
            }
        }

        return mirrored;
    }
}
