using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Headers;

/// <summary>Finds the tiled pages of a TIFF: the picture, and the same picture in smaller sizes.</summary>
/// <remarks>
/// Smaller sizes follow the picture in the chain of directories, as libvips and slide scanners write them, or are its
/// subdirectories (OME). Both say so by the tag <c>NewSubfileType</c>. Everything here is what the file claims; a codec
/// that opens a page compares.
/// </remarks>
internal static class TiffPyramid
{
    private const int NewSubfileType = 254;
    private const int Width = 256;
    private const int Height = 257;
    private const int PlanarConfiguration = 284;
    private const int TileWidth = 322;
    private const int TileHeight = 323;
    private const int Subdirectories = 330;

    /// <summary>Pixels a side of a tile. Smaller ones cost more to find than to decode.</summary>
    private const uint LeastTile = 64;

    /// <summary>Pixels a side of a tile: a tile is decoded as a whole for one of its pixels.</summary>
    private const uint MostTile = 4096;

    /// <summary>Four bands of all tiles that libvips may keep. Wider pictures in higher tiles are not read in
    /// regions.</summary>
    private const long MostCacheBytes = 256L << 20;

    /// <summary>Each level halves the one before, so that a pyramid of 2^31 pixels a side has 32.</summary>
    private const int MostPages = 64;

    /// <summary>Reads the directories.</summary>
    /// <returns>The picture, then its smaller sizes in the order of the file; empty where the picture is not in tiles
    /// of a usual size with 8 bits a sample at most.</returns>
    /// <remarks>With 16 bits a sample, the whole picture decides whether it is decodable at all
    /// (<see cref="TiffSamples.AreShallow"/>).</remarks>
    internal static IReadOnlyList<TiledPage> Read(ReadOnlySpan<byte> tiff)
    {
        var first = new TiffTags(tiff);
        if (Describe(first, 0, -1) is not { } picture)
        {
            return [];
        }

        List<TiledPage> pages = [picture];
        var looked = 0L;
        var offsets = first.All(Subdirectories);
        for (var i = 0; i < offsets.Length; i++)
        {
            AddLevel(pages, tiff, new TiffTags(tiff, offsets[i]), 0, i, ref looked);
        }

        var next = first.Next;
        for (var page = 1; page < MostPages && next != 0; page++)
        {
            var tags = new TiffTags(tiff, next);
            AddLevel(pages, tiff, tags, page, -1, ref looked);
            next = tags.Next;
        }

        return pages;
    }

    private static void AddLevel(
        List<TiledPage> pages,
        ReadOnlySpan<byte> tiff,
        TiffTags tags,
        int page,
        int subdirectory,
        ref long looked)
    {
        // Bit 0 is a smaller size of another page, bit 2 a mask.
        if (tags.First(NewSubfileType) is { } kind
            && (kind & 5) == 1
            && Describe(tags, page, subdirectory) is { } level
            && IsReduced(level.Size, pages[0].Size)
            && TiffJpegTiles.Refuse(tiff, tags, ref looked) is null)
        {
            pages.Add(level);
        }
    }

    /// <summary>Whether a size is another one times the same fraction, up to one pixel a side of rounding.</summary>
    private static bool IsReduced(ImageSize size, ImageSize whole)
    {
        var columns = size.Width / (double)whole.Width;
        var rows = size.Height / (double)whole.Height;
        return size.Width < whole.Width
            && size.Height <= whole.Height
            && Math.Abs(columns - rows) <= 1.0 / whole.Width + 1.0 / whole.Height;
    }

    private static TiledPage? Describe(TiffTags tags, int page, int subdirectory)
    {
        if (tags.First(Width) is not { } width || tags.First(Height) is not { } height
            || tags.First(TileWidth) is not { } tileWidth || tags.First(TileHeight) is not { } tileHeight
            || width is 0 or > int.MaxValue || height is 0 or > int.MaxValue
            || !IsUsual(tileWidth) || !IsUsual(tileHeight)
            || tags.First(PlanarConfiguration) is not (null or 1))
        {
            return null;
        }

        var described = new TiledPage(
            page,
            subdirectory,
            new ImageSize((int)height, (int)width),
            new ImageSize((int)tileHeight, (int)tileWidth));
        var samples = TiffSamples.Read(tags);
        return samples is { Refusal: null, Has16Bits: false }
            && described.MostTiles * described.Tile.Area * 4 <= MostCacheBytes
            ? described
            : null;
    }

    private static bool IsUsual(uint side) => side is >= LeastTile and <= MostTile && side % 16 == 0;
}
