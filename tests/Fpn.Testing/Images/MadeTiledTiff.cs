using System.Buffers.Binary;

namespace Fpn.Testing.Images;

/// <summary>Gray TIFF files in tiles, made byte by byte: all tiles of a page are the same bytes, so that a small file
/// is a picture of any size. Not compressed, little-endian.</summary>
internal sealed class MadeTiledTiff
{
    public int Width { get; init; } = 150;

    public int Height { get; init; } = 130;

    public int Tile { get; init; } = 64;

    /// <summary>The tags of tiles as written; what they say need not fit.</summary>
    public uint? TileWidthTag { get; init; }

    public uint? TileHeightTag { get; init; }

    /// <summary>Added to the offset of every tile.</summary>
    public uint TileOffset { get; init; }

    /// <summary>What is written as the length of every tile.</summary>
    public uint? TileLength { get; init; }

    /// <summary>The gray of every pixel, or of the pixel by its column in the tile.</summary>
    public Func<int, byte> Gray { get; init; } = column => (byte)(column * 3);

    /// <summary>Set on smaller sizes of the picture before.</summary>
    public bool IsReduced { get; init; }

    /// <summary>Pages behind this one.</summary>
    public IReadOnlyList<MadeTiledTiff> Pages { get; init; } = [];

    /// <summary>Whether <see cref="Pages"/> are the subdirectories of this one instead.</summary>
    public bool AsSubdirectories { get; init; }

    /// <summary>Whether the last page points to the first as the next.</summary>
    public bool IsRing { get; init; }

    private int Columns => (Width + Tile - 1) / Tile;

    private int Rows => (Height + Tile - 1) / Tile;

    /// <summary>The file.</summary>
    public byte[] ToFile()
    {
        List<byte> file = [.. "II*\0"u8, 0, 0, 0, 0];
        var (first, next) = Append(file);
        SetNumber(file, 4, first);
        List<uint> offsets = [];
        foreach (var page in Pages)
        {
            var (at, link) = page.Append(file);
            offsets.Add((uint)at);
            if (!AsSubdirectories)
            {
                SetNumber(file, next, at);
                next = link;
            }
        }

        if (IsRing)
        {
            SetNumber(file, next, first);
        }

        if (AsSubdirectories)
        {
            Assert.InRange(offsets.Count, 2, 16);
            SetNumber(file, first + 2 + 12 * 10 + 8, file.Count);
            offsets.ForEach(offset => AddNumber(file, offset));
        }

        return [.. file];
    }

    /// <summary>Writes tile, lists and directory.</summary>
    /// <returns>The directory's place, and the place of its link to the next.</returns>
    private (int Directory, int Link) Append(List<byte> file)
    {
        var tile = (uint)file.Count + TileOffset;
        for (var i = 0; i < Tile * Tile; i++)
        {
            file.Add(Gray(i % Tile));
        }

        var count = Columns * Rows;
        var offsets = (uint)file.Count;
        for (var i = 0; i < count; i++)
        {
            AddNumber(file, tile);
        }

        var lengths = (uint)file.Count;
        for (var i = 0; i < count; i++)
        {
            AddNumber(file, TileLength ?? (uint)(Tile * Tile));
        }

        var directory = file.Count;
        List<(ushort Tag, uint Count, uint Value)> tags =
        [
            (254, 1, IsReduced ? 1u : 0), (256, 1, (uint)Width), (257, 1, (uint)Height), (258, 1, 8), (259, 1, 1),
            (262, 1, 1), (322, 1, TileWidthTag ?? (uint)Tile), (323, 1, TileHeightTag ?? (uint)Tile),
            (324, (uint)count, count == 1 ? tile : offsets),
            (325, (uint)count, count == 1 ? TileLength ?? (uint)(Tile * Tile) : lengths),
        ];
        if (AsSubdirectories)
        {
            tags.Add((330, (uint)Pages.Count, 0));
        }

        AddShort(file, (ushort)tags.Count);
        foreach (var (tag, values, value) in tags)
        {
            AddShort(file, tag);
            AddShort(file, (ushort)(tag is 258 or 259 or 262 ? 3 : 4));
            AddNumber(file, values);
            AddNumber(file, value);
        }

        AddNumber(file, 0);
        return (directory, file.Count - 4);
    }

    private static void AddShort(List<byte> file, ushort number) =>
        file.AddRange([(byte)number, (byte)(number >> 8)]);

    private static void AddNumber(List<byte> file, uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        file.AddRange(bytes);
    }

    private static void SetNumber(List<byte> file, int at, int number)
    {
        for (var i = 0; i < 4; i++)
        {
            file[at + i] = (byte)(number >> (8 * i));
        }
    }
}
