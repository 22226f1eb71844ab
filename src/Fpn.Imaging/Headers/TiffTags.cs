namespace Fpn.Imaging.Headers;

/// <summary>The integers in a directory of a TIFF or BigTIFF.</summary>
internal readonly ref struct TiffTags
{
    /// <summary>The most values of a tag that <see cref="All"/> reads: one for each channel.</summary>
    private const int MostValues = 16;

    /// <summary>The most entries of a directory: libtiff reads none of a longer one, which only BigTIFF can
    /// have.</summary>
    private const int MostEntries = ushort.MaxValue;

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
        if (directory.Length >= header && Number(directory, header) is <= MostEntries and var count)
        {
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

    /// <summary>Whether a tag is there, whatever its type.</summary>
    public bool Has(int tag) => !Find(tag).IsEmpty;

    /// <summary>The first value of a tag; null where it is absent.</summary>
    public uint? First(int tag) => All(tag) is [var first, ..] ? first : null;

    /// <summary>
    /// The values of a tag, as many as a picture can have channels; empty where it is absent or not an integer.
    /// </summary>
    public uint[] All(int tag)
    {
        var values = Values(tag, MostValues);
        var numbers = new uint[values.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            numbers[i] = (uint)Math.Min(values[i], uint.MaxValue);
        }

        return numbers;
    }

    /// <summary>All values of a tag, of which there may be any number.</summary>
    public TiffValues Values(int tag) => Values(tag, int.MaxValue / 8);

    private TiffValues Values(int tag, int most)
    {
        var entry = Find(tag);
        if (entry.IsEmpty)
        {
            return default;
        }

        // BYTE, SHORT, LONG, IFD, LONG8, IFD8; libtiff also accepts the signed ones.
        var length = Number(entry[2..], 2) switch
        {
            1 or 6 => 1,
            3 or 8 => 2,
            4 or 9 or 13 => 4,
            16 or 17 or 18 => 8,
            _ => 0,
        };
        var bytes = (int)Math.Min(Number(entry[4..], OffsetLength), (ulong)most) * length;
        var inline = entry[(_big ? 12 : 8)..];
        var values = bytes <= inline.Length ? inline : From(Number(inline, inline.Length));
        return values.Length < bytes ? default : new TiffValues(values[..bytes], length, _little);
    }

    /// <summary>The first entry of a tag; later ones are ignored, as libtiff does. Empty where it is absent.</summary>
    private ReadOnlySpan<byte> Find(int tag)
    {
        for (var at = 0; at < _entries.Length; at += EntryLength)
        {
            var entry = _entries.Slice(at, EntryLength);
            if (Number(entry, 2) == (ulong)tag)
            {
                return entry;
            }
        }

        return default;
    }

    private ReadOnlySpan<byte> From(ulong offset) => offset < (ulong)_tiff.Length ? _tiff[(int)offset..] : default;

    private ulong Number(ReadOnlySpan<byte> bytes, int length) => TiffValues.Read(bytes, length, _little);
}
