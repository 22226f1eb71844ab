using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Finds pages of a TIFF whose JPEG tiles may be smaller than the tags say.</summary>
/// <remarks>libvips decodes such a JPEG into memory that it has not cleared: the rest of the tile would be what other
/// requests left there. So a page is accepted only where everything that says how large a tile is says the same, in the
/// one way that TIFF has for it.</remarks>
internal static class TiffJpegTiles
{
    private const int Width = 256;
    private const int Height = 257;
    private const int BitsPerSample = 258;
    private const int Compression = 259;
    private const int Photometric = 262;
    private const int StripOffsets = 273;
    private const int SamplesPerPixel = 277;
    private const int StripLengths = 279;
    private const int PlanarConfiguration = 284;
    private const int TileWidth = 322;
    private const int TileHeight = 323;
    private const int TileOffsets = 324;
    private const int TileLengths = 325;
    private const uint Jpeg = 7;

    /// <summary>Bytes looked at, of all tiles: a frame begins within a few hundred. Bounds the time where tiles
    /// overlap.</summary>
    private const long MostBytes = 256L << 20;

    private const string Contradiction = "the tags of its JPEG tiles are damaged or contradict each other";

    /// <summary>Returns the reason for refusing a page, to follow "cannot be decoded: "; null where there is
    /// none.</summary>
    /// <param name="tiff">The whole file.</param>
    /// <param name="tags">The page.</param>
    /// <param name="looked">Bytes of the file's tiles that were looked at so far; those of this page are
    /// added.</param>
    internal static string? Refuse(ReadOnlySpan<byte> tiff, TiffTags tags, ref long looked)
    {
        // One of the two is enough for libtiff.
        if (tags.First(Compression) != Jpeg || !(tags.Has(TileWidth) || tags.Has(TileHeight)))
        {
            return null;
        }

        if (tags.First(TileWidth) is not (> 0 and var width) || tags.First(TileHeight) is not (> 0 and var height)
            || CountComponents(tags) is not { } components)
        {
            return Contradiction;
        }

        var offsets = tags.Values(TileOffsets);
        var lengths = tags.Values(TileLengths);
        var tiles = CountSpans(tags.First(Width), width) * CountSpans(tags.First(Height), height);

        // In place of the tiles' own tags, libtiff takes those of strips.
        if (tiles == 0 || (ulong)offsets.Count != tiles || (ulong)lengths.Count != tiles
            || tags.Has(StripOffsets) || tags.Has(StripLengths))
        {
            return Contradiction;
        }

        for (var i = 0; i < offsets.Count; i++)
        {
            if (offsets[i] >= (ulong)tiff.Length || lengths[i] == 0)
            {
                return "a tile of it is missing";
            }

            var tile = tiff[(int)offsets[i]..];
            tile = tile[..(int)Math.Min(lengths[i], (ulong)tile.Length)];
            var frame = JpegMarkers.FindFrame(tile, out var bytes);
            looked += bytes;
            if (looked > MostBytes || !Fills(frame, width, height, components))
            {
                return "a JPEG in it is damaged or smaller than its tile";
            }
        }

        return null;
    }

    /// <summary>The components that a JPEG of the page's colors has, of 8 bits each; null where the page has others, or
    /// says that they are not together.</summary>
    private static int? CountComponents(TiffTags tags)
    {
        int? components = tags.First(Photometric) switch
        {
            0 or 1 => 1,
            2 or 6 => 3,
            5 => 4,
            _ => null,
        };
        return (tags.First(SamplesPerPixel) ?? 1) == components
            && tags.All(BitsPerSample) is [_, ..] bits
            && Array.TrueForAll(bits, count => count == 8)
            && (tags.First(PlanarConfiguration) ?? 1) == 1
            ? components
            : null;
    }

    private static ulong CountSpans(uint? length, uint span) => ((ulong)(length ?? 0) + span - 1) / span;

    /// <summary>Whether a frame's segment (length, bits, height, width, components) fills a tile.</summary>
    private static bool Fills(ReadOnlySpan<byte> frame, uint width, uint height, int components) =>
        frame.Length >= 8
        && BinaryPrimitives.ReadUInt16BigEndian(frame[3..]) >= height
        && BinaryPrimitives.ReadUInt16BigEndian(frame[5..]) >= width
        && frame[7] == components;
}
