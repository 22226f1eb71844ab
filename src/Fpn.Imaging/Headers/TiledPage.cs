using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Headers;

/// <summary>A page of a TIFF that is stored in tiles, each of which can be decoded alone.</summary>
/// <param name="Page">Its number in the chain of directories, from 0.</param>
/// <param name="Subdirectory">Its number among the subdirectories of that page; -1 is the page itself.</param>
/// <param name="Size">H × W as stored.</param>
/// <param name="Tile">H × W of each tile.</param>
internal readonly record struct TiledPage(int Page, int Subdirectory, ImageSize Size, ImageSize Tile)
{
    /// <summary>The most decoded tiles that libvips keeps: two rows of them, and two more.</summary>
    public long MostTiles => 2 * (1 + (long)(Size.Width / Tile.Width));

    /// <summary>The number of tiles that hold a part of a rectangle.</summary>
    /// <param name="left">Its first column.</param>
    /// <param name="top">Its first row.</param>
    /// <param name="size">H × W, at least 1 each; the rectangle lies inside the page.</param>
    public long CountTiles(int left, int top, ImageSize size) =>
        CountSpans(left, size.Width, Tile.Width) * CountSpans(top, size.Height, Tile.Height);

    private static long CountSpans(int first, int count, int span) =>
        (first + (long)count - 1) / span - first / span + 1;
}
