using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>The integers in a directory of a TIFF or BigTIFF.</summary>
internal readonly ref struct TiffTags
{
    /// <summary>The most values of any tag that is read: one for each channel.</summary>
    private const int MostValues = 16;

    private readonly ReadOnlySpan<byte> _tiff;
    private readonly bool _little;
    private readonly bool _big;
    private readonly ReadOnlySpan<byte> _entries;

    /// <summary>Finds a directory; where it is cut off, there are no tags.</summary>
    /// <param name="tiff">The whole file.</param>
    /// <param name="offset">The first byte of the directory; null is the first directory.</param>
    public TiffTags(ReadOnlySpan<byte> tiff, ulong? offset = null)
    {
        _tiff = tiff;
        if (tiff.Length < 16)
        {
            return;
        }

        _little = tiff[0] == (byte)'I';
        _big = tiff[_little ? 2 : 3] == 43;
        var directory = From(offset ?? (_big ? Number(tiff[8..], 8) : Number(tiff[4..], 4)));
        var header = _big ? 8 : 2;
        if (directory.Length >= header)
        {
            var count = Number(directory, header);
            var room = (ulong)(directory.Length - header) / (ulong)EntryLength;
            _entries = directory.Slice(header, (int)Math.Min(count, room) * EntryLength);
            var rest = directory[(header + _entries.Length)..];
            Next = count <= room && rest.Length >= OffsetLength ? Number(rest, OffsetLength) : 0;
        }
    }

    /// <summary>The offset of the next directory; 0 where there is none.</summary>
    public ulong Next { get; }

    private int EntryLength => _big ? 20 : 12;

    private int OffsetLength => _big ? 8 : 4;

    /// <summary>The first value of a tag; null where it is absent.</summary>
    public uint? First(int tag) => All(tag) is [var first, ..] ? first : null;

    /// <summary>
    /// The values of a tag, as many as a picture can have channels; empty where it is absent or not an integer.
    /// </summary>
    public uint[] All(int tag)
    {
        var values = Find(tag, MostValues, out var length);
        return values.IsEmpty ? [] : Read(values, values.Length / length, length);
    }

    /// <summary>One of the values of a tag, of which there may be any number; null where it is absent.</summary>
    public ulong? At(int tag, int index)
    {
        var values = Find(tag, int.MaxValue / 8, out var length);
        return length > 0 && index < values.Length / length ? Number(values[(index * length)..], length) : null;
    }

    /// <summary>The bytes of the values of a tag; empty where it is absent, not an integer or cut off.</summary>
    private ReadOnlySpan<byte> Find(int tag, int most, out int length)
    {
        for (var at = 0; at < _entries.Length; at += EntryLength)
        {
            var entry = _entries.Slice(at, EntryLength);
            if (Number(entry, 2) != (ulong)tag)
            {
                continue;
            }

            // BYTE, SHORT, LONG, IFD, LONG8, IFD8.
            length = Number(entry[2..], 2) switch { 1 => 1, 3 => 2, 4 or 13 => 4, 16 or 18 => 8, _ => 0 };
            var bytes = (int)Math.Min(Number(entry[4..], OffsetLength), (ulong)most) * length;
            var inline = entry[(_big ? 12 : 8)..];
            var values = bytes <= inline.Length ? inline : From(Number(inline, inline.Length));
            return values.Length < bytes ? default : values[..bytes];
        }

        length = 0;
        return default;
    }

    private uint[] Read(ReadOnlySpan<byte> values, int count, int length)
    {
        var numbers = new uint[count];
        for (var i = 0; i < count; i++)
        {
            numbers[i] = (uint)Math.Min(Number(values[(i * length)..], length), uint.MaxValue);
        }

        return numbers;
    }

    private ReadOnlySpan<byte> From(ulong offset) => offset < (ulong)_tiff.Length ? _tiff[(int)offset..] : default;

    private ulong Number(ReadOnlySpan<byte> bytes, int length) => (length, _little) switch
    {
        (1, _) => bytes[0],
        (2, true) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        (2, false) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        (4, true) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        (4, false) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        (_, true) => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        (_, false) => BinaryPrimitives.ReadUInt64BigEndian(bytes),
    };
}
