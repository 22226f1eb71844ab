using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using static NetVips.Enums;

namespace Fpn.Imaging.Tests;

/// <summary>Files that cannot be read in regions, damaged tiles, and files made to do harm: an answer each, and no
/// memory left behind.</summary>
[Collection(Alone.Collection)]
public sealed class RegionFailureTests
{
    private static readonly PixelRectangle s_corner = new(0, 0, 100, 100);

    private readonly ImageDecoder _decoder = new(1L << 33, new VipsCodec());

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, byte[]> WholeOnly => new()
    {
        { "a PNG", TestImages.Read("rgb.png") },
        { "strips", TestImages.Read("lzw.tif") },
        { "tiles of 16 pixels", new MadeTiledTiff { Tile = 16 }.ToFile() },
        {
            "16 bits, of which the whole picture must be asked",
            MadePictures.Tiff(
                MadePictures.Colors().Cast(BandFormat.Ushort).Linear([256], [0]).Cast(BandFormat.Ushort)
                    .Copy(interpretation: Interpretation.Rgb16),
                ForeignTiffCompression.Deflate)
        },
    };

    /// <summary>Tiles that are no tiles, elsewhere, too long or too short.</summary>
    public static TheoryData<string, byte[]> Harmful => new()
    {
        { "1 × 1 tiles", new MadeTiledTiff { TileWidthTag = 1, TileHeightTag = 1 }.ToFile() },
        { "tiles without width", new MadeTiledTiff { TileWidthTag = 0 }.ToFile() },
        { "2^31 columns a tile", new MadeTiledTiff { TileWidthTag = 1u << 31 }.ToFile() },
        { "2^31 rows a tile", new MadeTiledTiff { TileHeightTag = 1u << 31 }.ToFile() },
        { "2^32 - 16 rows a tile", new MadeTiledTiff { TileHeightTag = 0xFFFFFFF0 }.ToFile() },
        { "8192 × 8192 tiles", new MadeTiledTiff { TileWidthTag = 8192, TileHeightTag = 8192 }.ToFile() },
        { "4096 rows a tile", new MadeTiledTiff { TileHeightTag = 4096 }.ToFile() },
        { "tiles larger than their bytes", new MadeTiledTiff { TileWidthTag = 128, TileHeightTag = 128 }.ToFile() },
        { "tiles behind the end", new MadeTiledTiff { TileOffset = 1 << 30 }.ToFile() },
        { "tiles at 2^32 - 1", new MadeTiledTiff { TileOffset = 0xFFFFFFFF - 8 }.ToFile() },
        { "tiles without bytes", new MadeTiledTiff { TileLength = 0 }.ToFile() },
        { "tiles of 2^32 - 1 bytes", new MadeTiledTiff { TileLength = 0xFFFFFFFF }.ToFile() },
        { "2^30 columns and more tiles than the list", TiffEntries.Patch(new MadeTiledTiff().ToFile(), 256, 1 << 30) },
        { "2^30 rows", TiffEntries.Patch(new MadeTiledTiff().ToFile(), 257, 1 << 30) },
        { "a list of tiles behind the end", TiffEntries.Patch(new MadeTiledTiff().ToFile(), 324, 1 << 30) },
        { "a ring of pages", new MadeTiledTiff { IsRing = true }.ToFile() },
        {
            "a ring of levels",
            new MadeTiledTiff { IsRing = true, Pages = [Level(), Level(), Level()] }.ToFile()
        },
        {
            "subdirectories behind the end",
            TiffEntries.Patch(
                new MadeTiledTiff { AsSubdirectories = true, Pages = [Level(), Level()] }.ToFile(), 330, 1 << 30)
        },
        {
            "subdirectories that are numbers of the picture",
            TiffEntries.Patch(
                new MadeTiledTiff { AsSubdirectories = true, Pages = [Level(), Level()] }.ToFile(), 330, 8)
        },
    };

    [Theory]
    [MemberData(nameof(WholeOnly))]
    public void DecodeRegion_FileThatIsDecodedWhole_IsNotPossible(string what, byte[] file)
    {
        using var opened = _decoder.Open(file).Image!;

        Assert.False(opened.ReadsRegions, what);
        Assert.Throws<InvalidOperationException>(() => opened.DecodeRegion(new PixelRectangle(0, 0, 1, 1), Cancel));
        Assert.Throws<InvalidOperationException>(() => opened.DecodeReduced(1, Cancel));
        using var whole = opened.Decode().Image;
        Assert.NotNull(whole);
    }

    [Theory]
    [InlineData(-1, 0, 10, 10)]
    [InlineData(0, -1, 10, 10)]
    [InlineData(0, 0, 151, 10)]
    [InlineData(0, 0, 10, 131)]
    [InlineData(10, 10, 10, 20)]
    [InlineData(20, 10, 10, 20)]
    public void DecodeRegion_RectangleOutside_Throws(int left, int top, int right, int bottom)
    {
        using var opened = _decoder.Open(new MadeTiledTiff().ToFile()).Image!;

        Assert.Throws<ArgumentOutOfRangeException>(
            () => opened.DecodeRegion(new PixelRectangle(left, top, right, bottom), Cancel));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => opened.RegionBytes(new PixelRectangle(left, top, right, bottom)));
        Assert.Throws<ArgumentOutOfRangeException>(() => opened.DecodeReduced(0, Cancel));
    }

    [Fact]
    public void DecodeRegion_AfterDecodeOrDispose_Throws()
    {
        using var opened = _decoder.Open(new MadeTiledTiff().ToFile()).Image!;
        using var region = opened.DecodeRegion(s_corner, Cancel).Image!;
        Assert.Equal(new ImageSize(100, 100), region.Size);
        opened.Decode().Image!.Dispose();

        Assert.Throws<InvalidOperationException>(() => opened.DecodeRegion(s_corner, Cancel));
        opened.Dispose();
        Assert.Throws<InvalidOperationException>(() => opened.DecodeReduced(1, Cancel));
    }

    [Fact]
    public async Task DecodeRegion_GivenUp_FreesEverythingAndTheNextCallWorks()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        var before = NativeImageMemory.HeldBytes;
        using (var opened = _decoder.Open(new MadeTiledTiff().ToFile()).Image!)
        {
            Assert.Throws<OperationCanceledException>(() => opened.DecodeRegion(s_corner, gone.Token));
            Assert.Throws<OperationCanceledException>(() => opened.DecodeReduced(1000, gone.Token));
            Assert.Equal(before, NativeImageMemory.HeldBytes);
            using var part = opened.DecodeRegion(s_corner, Cancel).Image;
            using var whole = opened.Decode().Image;
            Assert.Equal(whole!.Pixels[..300], part!.Pixels[..300]);
        }
    }

    [Fact]
    public void DecodeRegion_ADamagedTile_IsUndecodableEachTimeAndItsNeighborsAreNot()
    {
        var file = MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Deflate);
        var tile = (int)TiffEntries.ReadList(file, 324, index: 6);
        file.AsSpan(tile, 40).Fill(0xFF);
        using var opened = _decoder.Open(file).Image!;

        // Five tiles a row: the seventh is the second of the second row.
        for (var round = 0; round < 3; round++)
        {
            using var before = opened.DecodeRegion(new PixelRectangle(0, 0, 300, 64), Cancel).Image;
            var damaged = opened.DecodeRegion(new PixelRectangle(60, 60, 70, 70), Cancel);
            using var after = opened.DecodeRegion(new PixelRectangle(128, 64, 300, 200), Cancel).Image;

            Assert.False(damaged.Succeeded);
            Assert.Equal(DecodeFailure.Undecodable, damaged.Failure);
            Assert.Contains("cannot be decoded", damaged.Detail, StringComparison.Ordinal);
            Assert.NotNull(before);
            Assert.NotNull(after);
            Assert.Equal(DecodeFailure.Undecodable, opened.DecodeReduced(1000, Cancel).Failure);
        }

        Assert.Equal(DecodeFailure.Undecodable, opened.Decode().Failure);
    }

    [Theory]
    [MemberData(nameof(Harmful))]
    public void DecodeRegion_HarmfulFile_NeitherThrowsNorKeepsMemory(string what, byte[] file)
    {
        var before = NativeImageMemory.TrackedBytes;

        Read(file);

        Assert.True(
            SpinWait.SpinUntil(() => NativeImageMemory.TrackedBytes <= before, TimeSpan.FromSeconds(10)), what);
    }

    [Fact]
    public void DecodeRegion_CutOrFlippedAnywhere_NeverThrowsAndFreesEverything()
    {
        var whole = MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Jpeg, pyramid: true, subifd: true);
        var random = new Random(20261127);
        Read(whole);
        var before = NativeImageMemory.TrackedBytes;

        for (var round = 0; round < 300; round++)
        {
            var damaged = whole.AsSpan(0, round % 2 == 0 ? whole.Length : random.Next(whole.Length)).ToArray();
            for (var flips = random.Next(1, 4); flips > 0 && damaged.Length > 0; flips--)
            {
                // Every other time among the tags.
                var from = round % 4 < 2 ? Math.Max(0, damaged.Length - 1000) : 0;
                damaged[random.Next(from, damaged.Length)] ^= (byte)(1 << random.Next(8));
            }

            Read(damaged);
        }

        Assert.True(SpinWait.SpinUntil(() => NativeImageMemory.TrackedBytes <= before, TimeSpan.FromSeconds(10)));
    }

    /// <summary>Opens, and reads everything in every way.</summary>
    private void Read(byte[] file)
    {
        using var opened = _decoder.Open(file).Image;
        if (opened is not { ReadsRegions: true })
        {
            opened?.Decode().Image?.Dispose();
            return;
        }

        var (width, height) = (opened.Size.Width, opened.Size.Height);
        var last = new PixelRectangle(Math.Max(0, width - 100), Math.Max(0, height - 100), width, height);
        opened.DecodeRegion(last, Cancel).Image?.Dispose();
        opened.DecodeReduced(2000, Cancel).Image?.Dispose();
        opened.DecodeReduced(width * (long)height / 4 + 1, Cancel).Image?.Dispose();
        Assert.InRange(opened.RegionBytes(last), 1, 300L << 20);
        if (opened.DecodedBytes < 10_000_000)
        {
            opened.Decode().Image?.Dispose();
        }
    }

    private static MadeTiledTiff Level() => new() { Width = 75, Height = 65, IsReduced = true };
}
