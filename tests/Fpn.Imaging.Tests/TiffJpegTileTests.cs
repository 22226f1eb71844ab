using System.Buffers.Binary;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using static NetVips.Enums;

namespace Fpn.Imaging.Tests;

/// <summary>libvips leaves the rest of a tile as it found the memory where the tile's JPEG is smaller: such files are
/// refused before it sees them, however the tags hide it.</summary>
public sealed class TiffJpegTileTests
{
    private const ushort SignedShort = 8;

    private readonly ImageDecoder _decoder = new(1L << 33, new VipsCodec());

    /// <summary>Ways to make a tile larger than its JPEG, or to keep it from being looked at.</summary>
    public static TheoryData<string, byte[]> Contradictory => new()
    {
        { "two samples a pixel, one in the JPEG", TiffEntries.Patch(Gray(), 277, 2) },
        { "four samples a pixel, three in the JPEG", TiffEntries.Patch(Colors(), 277, 4) },
        { "tiles at the place of strips", TiffEntries.Rename(Colors(), 324, 273) },
        { "lengths of strips", TiffEntries.Rename(Colors(), 325, 279) },
        { "no lengths", TiffEntries.Rename(Colors(), 325, 65000) },
        { "no offsets", TiffEntries.Rename(Colors(), 324, 65000) },
        { "no width of a tile", TiffEntries.Rename(Colors(), 322, 65000) },
        { "no height of a tile", TiffEntries.Rename(Colors(), 323, 65000) },
        { "a width of no number", TiffEntries.Retype(Colors(), 322, 11) },
        { "other colors", TiffEntries.Patch(Colors(), 262, 1) },
        { "no colors", TiffEntries.Rename(Colors(), 262, 65000) },
        { "16 bits", TiffEntries.Patch(Gray(), 258, 16) },
        { "no bits", TiffEntries.Rename(Gray(), 258, 65000) },
        { "more columns than tiles", TiffEntries.Patch(Colors(), 256, 3000) },
        { "fewer rows than tiles", TiffEntries.Patch(Colors(), 257, 10) },
        { "separate planes", TiffEntries.Patch(Colors(), 284, 2) },
    };

    [Theory]
    [MemberData(nameof(Contradictory))]
    public void Open_TagsOfJpegTilesThatDoNotFit_IsUndecodable(string what, byte[] file)
    {
        var outcome = _decoder.Open(file);

        outcome.Image?.Dispose();
        Assert.False(outcome.Succeeded, what);
        Assert.Equal(DecodeFailure.Undecodable, outcome.Refusal.Failure);
        Assert.Contains("contradict each other", outcome.Refusal.Detail, StringComparison.Ordinal);
    }

    /// <summary>Of the last of all tiles: the height of its frame at 5, the width at 7, the components at 9.</summary>
    [Theory]
    [InlineData(5, 63, false)]
    [InlineData(7, 16, false)]
    [InlineData(7, 64, true)]
    public void Open_JpegSmallerThanItsTile_IsUndecodable(int at, int side, bool isServed)
    {
        var file = Colors();
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(LastFrame(file) + at), (ushort)side);
        AssertTile(file, isServed, "smaller than its tile");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void Open_JpegOfOtherComponents_IsUndecodable(byte components)
    {
        var file = Colors();
        file[LastFrame(file) + 9] = components;
        AssertTile(file, isServed: false, "smaller than its tile");
    }

    /// <summary>libtiff reads them as it reads unsigned ones.</summary>
    [Theory]
    [InlineData(259)]
    [InlineData(322)]
    [InlineData(277)]
    public void Open_SignedTag_IsReadAsSuch(int tag)
    {
        AssertTile(TiffEntries.Retype(Colors(), tag, SignedShort), isServed: true, string.Empty);
        var file = TiffEntries.Retype(Colors(), tag, SignedShort);
        BinaryPrimitives.WriteUInt16BigEndian(file.AsSpan(LastFrame(file) + 5), 63);
        AssertTile(file, isServed: false, "smaller than its tile");
    }

    [Fact]
    public void Open_TileOfNoLength_IsUndecodable()
    {
        var file = Colors();
        var lengths = TiffEntries.FindList(file, 325);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(lengths + 4), 0);
        AssertTile(file, isServed: false, "missing");
    }

    [Fact]
    public void Open_TileBehindTheEnd_IsUndecodable()
    {
        var file = Colors();
        var offsets = TiffEntries.FindList(file, 324);
        BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(offsets + 4), 1 << 30);
        AssertTile(file, isServed: false, "missing");
    }

    /// <summary>A megabyte that names half a million tiles behind as many other tags as a directory can have: each is
    /// looked for once and not for every tile, which would take minutes.</summary>
    [Theory]
    [InlineData(60_000)]
    [InlineData(70_000)]
    public void Open_ManyTagsAndManyTiles_IsRefusedAtOnce(int others)
    {
        const int Tiles = 500_000;
        List<byte> file = [.. "II"u8, 43, 0, 8, 0, 0, 0];
        Add(file, 16);
        Add(file, (ulong)others + 8);
        for (var i = 0; i < others; i++)
        {
            AddEntry(file, 1000, 3, 1, 0);
        }

        AddEntry(file, 256, 4, 1, Tiles * 16UL);
        AddEntry(file, 257, 4, 1, 16);
        AddEntry(file, 258, 3, 1, 8);
        AddEntry(file, 259, 3, 1, 7);
        AddEntry(file, 262, 3, 1, 1);
        AddEntry(file, 322, 4, 1, 16);
        AddEntry(file, 323, 4, 1, 16);
        AddEntry(file, 324, 1, Tiles, 16);
        Add(file, 0);

        var outcome = _decoder.Open(file.ToArray());

        outcome.Image?.Dispose();
        Assert.False(outcome.Succeeded);

        static void AddEntry(List<byte> file, ushort tag, ushort type, ulong count, ulong value)
        {
            file.AddRange([(byte)tag, (byte)(tag >> 8), (byte)type, 0]);
            Add(file, count);
            Add(file, value);
        }

        static void Add(List<byte> file, ulong number)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, number);
            file.AddRange(bytes);
        }
    }

    private void AssertTile(byte[] file, bool isServed, string refusal)
    {
        var outcome = _decoder.Open(file);
        outcome.Image?.Dispose();
        Assert.Equal(isServed, outcome.Succeeded);
        Assert.True(
            isServed || outcome.Refusal.Detail.Contains(refusal, StringComparison.Ordinal), outcome.Refusal.Detail);
    }

    private static byte[] Colors() => MadePictures.Tiff(MadePictures.Colors(), ForeignTiffCompression.Jpeg);

    private static byte[] Gray() => MadePictures.Tiff(MadePictures.Colors()[1], ForeignTiffCompression.Jpeg);

    private static int LastFrame(byte[] file) => file.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0xFF, 0xC0]);
}
