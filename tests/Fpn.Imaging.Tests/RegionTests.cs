using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Testing.Images;
using NetVips;
using static NetVips.Enums;

namespace Fpn.Imaging.Tests;

/// <summary>Regions of a TIFF in tiles have the pixels of the whole picture.</summary>
public sealed class RegionTests
{
    private readonly ImageDecoder _decoder = new(40_000_000, new VipsCodec());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Rectangles of 300 × 200 pixels in tiles of 64.</summary>
    private static readonly PixelRectangle[] s_regions =
    [
        new(0, 0, 300, 200), new(0, 0, 1, 1), new(299, 199, 300, 200), new(64, 64, 128, 128), new(63, 127, 65, 129),
        new(10, 20, 290, 30), new(250, 0, 300, 200), new(5, 190, 6, 200), new(130, 70, 131, 71), new(0, 0, 300, 1),
    ];

    public static TheoryData<string, byte[]> Tiled => new()
    {
        { "JPEG", MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Jpeg) },
        { "deflate", MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Deflate) },
        {
            "LZW with alpha",
            MadePictures.Tiff(MadePictures.Colors().Bandjoin(MadePictures.Colors()[0]), ForeignTiffCompression.Lzw)
        },
        { "gray", MadePictures.Tiff(MadePictures.Colors()[1], ForeignTiffCompression.None) },
        {
            "gray with alpha",
            MadePictures.Tiff(
                MadePictures.Colors()[1].Bandjoin(MadePictures.Colors()[0]), ForeignTiffCompression.Packbits)
        },
        { "gray JPEG", MadePictures.Tiff(MadePictures.Colors()[1], ForeignTiffCompression.Jpeg) },
        { "bilevel", MadePictures.Tiff(MadePictures.Colors()[1], ForeignTiffCompression.Ccittfax4, bitdepth: 1) },
        {
            "inks",
            MadePictures.Tiff(
                MadePictures.Colors().Bandjoin(MadePictures.Colors()[2]).Copy(interpretation: Interpretation.Cmyk),
                ForeignTiffCompression.Deflate)
        },
        { "BigTIFF", MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Lzw, bigtiff: true) },
        { "a pyramid", MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Jpeg, pyramid: true) },
        {
            "a pyramid in subdirectories",
            MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Jpeg, pyramid: true, subifd: true)
        },
        { "a high tile", MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Deflate, tileHeight: 256) },
    };

    [Theory]
    [MemberData(nameof(Tiled))]
    public void DecodeRegion_AnyRectangle_HasThePixelsOfTheWhole(string what, byte[] file) =>
        AssertRegions(what, file, s_regions);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public void DecodeRegion_OfATurnedPicture_HasThePixelsOfTheWhole(int orientation)
    {
        using var turned =
            MadePictures.Colors().Mutate(image => image.Set(GValue.GIntType, "orientation", orientation));
        var regions = s_regions.Select(region =>
            orientation >= 5 ? new PixelRectangle(region.Top, region.Left, region.Bottom, region.Right) : region);

        AssertRegions($"orientation {orientation}", MadePictures.Tiff(turned, ForeignTiffCompression.Lzw), regions);
    }

    [Fact]
    public void DecodeRegion_AfterWaiting_GivesTheSamePixels()
    {
        var file = MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Jpeg);
        using var opened = _decoder.Open(file).Image!;
        var region = new PixelRectangle(40, 50, 170, 180);

        using var before = opened.DecodeRegion(region, Cancel).Image!;
        opened.ParkUnless(isTurn: false);
        using var after = opened.DecodeRegion(region, Cancel).Image!;
        using var whole = opened.Decode().Image!;

        Assert.Equal(before.Pixels.ToArray(), after.Pixels.ToArray());
        Assert.Equal(new ImageSize(200, 300), whole.Size);
    }

    [Fact]
    public void DecodeReduced_AMadePicture_GivesTheMeansOfBlocks()
    {
        // Columns of 0, 3, 6 … 189 in each tile. Blocks of 2: means 1.5 (rounds to 2), 7.5, 13.5 …
        using var opened = _decoder.Open(new MadeTiledTiff().ToFile()).Image!;

        using var reduced = opened.DecodeReduced(75 * 65, Cancel).Image!;

        Assert.Equal(new ImageSize(65, 75), reduced.Size);
        Assert.Equal(new ImageSize(130, 150), opened.Size);
        for (var x = 0; x < 75; x++)
        {
            Assert.Equal(x % 32 * 6 + 2, reduced.Pixels[x * 3]);
            Assert.Equal(reduced.Pixels[x * 3], reduced.Pixels[(64 * 75 + x) * 3 + 2]);
        }
    }

    [Theory]
    [InlineData(int.MaxValue, 1, 300, 200)]
    [InlineData(300 * 200, 1, 300, 200)]
    [InlineData(300 * 200 - 1, 2, 150, 100)]
    [InlineData(150 * 100 - 1, 3, 100, 67)]
    [InlineData(1, 245, 1, 1)]
    public void DecodeReduced_AnyNumber_GivesAsManyPixelsAsAWholeNumberAllows(
        long maxPixels, int factor, int width, int height)
    {
        var file = MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Deflate);
        using var opened = _decoder.Open(file).Image!;
        using var whole = _decoder.Decode(file).Image!;

        using var reduced = opened.DecodeReduced(maxPixels, Cancel).Image!;

        Assert.Equal(new ImageSize(height, width), reduced.Size);
        AssertMeans(whole, reduced, factor);
    }

    [Fact]
    public void DecodeReduced_OfATurnedPicture_IsTurned()
    {
        using var turned = MadePictures.Colors().Mutate(image => image.Set(GValue.GIntType, "orientation", 6));
        var file = MadePictures.Tiff(turned, ForeignTiffCompression.Lzw);
        using var opened = _decoder.Open(file).Image!;
        using var whole = _decoder.Decode(file).Image!;

        using var reduced = opened.DecodeReduced(50 * 75, Cancel).Image!;

        Assert.Equal(new ImageSize(75, 50), reduced.Size);
        AssertMeans(whole, reduced, 4);
    }

    [Theory]
    [InlineData(false, 3000 * 2000, 10)]
    [InlineData(false, 1500 * 1000, 20)]
    [InlineData(false, 1000 * 1000, 10)]
    [InlineData(false, 750 * 500, 30)]
    [InlineData(false, 300 * 200, 30)]
    [InlineData(true, 1500 * 1000, 20)]
    [InlineData(true, 375 * 250, 30)]
    public void DecodeReduced_OfAPyramid_StartsFromTheSmallestLevelThatGivesEnough(
        bool asSubdirectories, long maxPixels, byte gray)
    {
        // Each level has a gray of its own, which shows where the pixels come from. The third is of other proportions,
        // the fourth no smaller size of the first: neither is a level.
        var file = new MadeTiledTiff
        {
            Width = 3000,
            Height = 2000,
            Gray = _ => 10,
            AsSubdirectories = asSubdirectories,
            Pages =
            [
                new MadeTiledTiff { Width = 1500, Height = 1000, Gray = _ => 20, IsReduced = true },
                new MadeTiledTiff { Width = 1000, Height = 1000, Gray = _ => 77, IsReduced = true },
                new MadeTiledTiff { Width = 1500, Height = 1000, Gray = _ => 88 },
                new MadeTiledTiff { Width = 750, Height = 500, Gray = _ => 30, IsReduced = true },
            ],
        };
        using var opened = _decoder.Open(file.ToFile()).Image!;

        using var reduced = opened.DecodeReduced(maxPixels, Cancel).Image!;

        Assert.Equal(gray, reduced.Pixels[0]);
        Assert.Equal(-1, reduced.Pixels.IndexOfAnyExcept(gray));
        Assert.InRange(reduced.Size.Area, maxPixels / 4, maxPixels);
    }

    /// <summary>Compares the blocks that lie wholly inside. libvips rounds twice, first the means of columns, and
    /// divides by a fixed-point number.</summary>
    private static void AssertMeans(DecodedImage whole, DecodedImage reduced, int factor)
    {
        for (var y = 0; y < whole.Size.Height / factor; y++)
        {
            for (var x = 0; x < whole.Size.Width / factor * 3; x++)
            {
                var sum = 0;
                for (var i = 0; i < factor * factor; i++)
                {
                    var (row, column) = (y * factor + i / factor, x / 3 * factor + i % factor);
                    sum += whole.Pixels[(row * whole.Size.Width + column) * 3 + x % 3];
                }

                Assert.InRange(
                    reduced.Pixels[y * reduced.Size.Width * 3 + x] - sum / (double)(factor * factor), -1.5, 1.5);
            }
        }
    }

    private void AssertRegions(string what, byte[] file, IEnumerable<PixelRectangle> regions)
    {
        using var whole = _decoder.Decode(file).Image!;
        using var opened = _decoder.Open(file).Image!;
        Assert.True(opened.ReadsRegions, what);
        foreach (var region in regions)
        {
            using var part = opened.DecodeRegion(region, Cancel).Image!;

            Assert.Equal((region.Bottom - region.Top, region.Right - region.Left), (part.Size.Height, part.Size.Width));
            for (var y = 0; y < part.Size.Height; y++)
            {
                var row = whole.Pixels.Slice(
                    ((region.Top + y) * whole.Size.Width + region.Left) * 3, part.Size.Width * 3);
                Assert.True(
                    row.SequenceEqual(part.Pixels.Slice(y * part.Size.Width * 3, part.Size.Width * 3)),
                    $"{what}: row {y} of {region}");
            }
        }
    }
}
