using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>The values of one tag of a TIFF, read where they lie.</summary>
internal readonly ref struct TiffValues
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _length;
    private readonly bool _isLittle;

    /// <summary>Views bytes as numbers.</summary>
    /// <param name="bytes">All values.</param>
    /// <param name="length">Bytes of each: 1, 2, 4 or 8.</param>
    /// <param name="isLittle">Whether the lowest byte comes first.</param>
    public TiffValues(ReadOnlySpan<byte> bytes, int length, bool isLittle)
    {
        (_length, _isLittle) = (length, isLittle);
        _bytes = bytes;
    }

    /// <summary>Their number; 0 where the tag is absent, not an integer or cut off.</summary>
    public int Count => _length == 0 ? 0 : _bytes.Length / _length;

    /// <summary>One of them; a negative one is a large one here.</summary>
    public ulong this[int index] => Read(_bytes[(index * _length)..], _length, _isLittle);

    /// <summary>Reads a number.</summary>
    public static ulong Read(ReadOnlySpan<byte> bytes, int length, bool isLittle) => (length, isLittle) switch
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
