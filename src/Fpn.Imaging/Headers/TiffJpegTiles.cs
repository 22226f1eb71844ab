using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Finds tiles of a TIFF whose JPEG is smaller than the tile.</summary>
/// <remarks>libvips decodes such a JPEG into memory that it has not cleared: the rest of the tile would be what other
/// requests left there.</remarks>
internal static class TiffJpegTiles
{
    private const int Compression = 259;
    private const int TileWidth = 322;
    private const int TileHeight = 323;
    private const int TileOffsets = 324;
    private const int TileLengths = 325;
    private const uint Jpeg = 7;

    /// <summary>Bytes looked at, of all tiles: a frame begins within a few hundred. Bounds the time where tiles
    /// overlap.</summary>
    private const long MostBytes = 256L << 20;

    /// <summary>Returns the reason for refusing a page, to follow "cannot be decoded: "; null where there is
    /// none.</summary>
    internal static string? Refuse(ReadOnlySpan<byte> tiff, TiffTags tags)
    {
        if (tags.First(Compression) != Jpeg
            || tags.First(TileWidth) is not { } width
            || tags.First(TileHeight) is not { } height)
        {
            return null;
        }

        var looked = 0L;
        for (var i = 0; tags.At(TileOffsets, i) is { } offset; i++)
        {
            // Where the file is cut off, the codec notices.
            if (offset >= (ulong)tiff.Length || tags.At(TileLengths, i) is not (> 0 and var length))
            {
                continue;
            }

            var tile = tiff[(int)offset..];
            tile = tile[..(int)Math.Min(length, (ulong)tile.Length)];
            var frame = JpegMarkers.FindFrame(tile, out var bytes);
            looked += bytes;
            if (looked > MostBytes || !IsLarge(frame, width, height))
            {
                return "a JPEG in it is damaged or smaller than its tile";
            }
        }

        return null;
    }

    /// <summary>Whether a frame's segment (length, bits, height, width) covers a tile.</summary>
    private static bool IsLarge(ReadOnlySpan<byte> frame, uint width, uint height) =>
        frame.Length >= 7
        && BinaryPrimitives.ReadUInt16BigEndian(frame[3..]) >= height
        && BinaryPrimitives.ReadUInt16BigEndian(frame[5..]) >= width;
}
