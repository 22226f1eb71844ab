using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Counts the pages of a TIFF: libvips visits all of them before it decodes the first.</summary>
/// <remarks>A file of 20 MB can have 170,000 pages of a few pixels, which take 15 seconds.</remarks>
internal static class TiffPages
{
    /// <summary>
    /// The length of the chain of directories, or <paramref name="limit"/> if it is longer (or a ring).
    /// </summary>
    internal static int Count(ReadOnlySpan<byte> tiff, int limit)
    {
        if (tiff.Length < 16)
        {
            return 0;
        }

        var little = tiff[0] == (byte)'I';
        var big = tiff[little ? 2 : 3] == 43;
        var next = big ? ReadOffset(tiff[8..], little, big) : ReadOffset(tiff[4..], little, big);
        var pages = 0;
        while (pages < limit && next != 0 && next < (ulong)tiff.Length)
        {
            pages++;
            var directory = tiff[(int)next..];
            if (directory.Length < 8)
            {
                break;
            }

            // Entry count, entries of fixed length, offset of the next directory: 2, 12 and 4 bytes, in BigTIFF 8, 20
            // and 8.
            var entries = big ? ReadOffset(directory, little, big)
                : little ? BinaryPrimitives.ReadUInt16LittleEndian(directory)
                : BinaryPrimitives.ReadUInt16BigEndian(directory);
            var end = big ? 8 + 20 * Math.Min(entries, int.MaxValue) : 2 + 12 * entries;
            if (end + (big ? 8UL : 4UL) > (ulong)directory.Length)
            {
                break;
            }

            next = ReadOffset(directory[(int)end..], little, big);
        }

        return pages;
    }

    private static ulong ReadOffset(ReadOnlySpan<byte> bytes, bool little, bool big) => (little, big) switch
    {
        (true, false) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        (false, false) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        (true, true) => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        (false, true) => BinaryPrimitives.ReadUInt64BigEndian(bytes),
    };
}
