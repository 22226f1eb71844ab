using System.Buffers.Binary;

namespace Fpn.Service.Imaging;

/// <summary>Counts the scans of a JPEG, each of which costs a pass over the whole picture.</summary>
/// <remarks>A progressive JPEG may lawfully have hundreds of nearly empty ones: 60 KB that take a processor core
/// a minute. Encoders write about ten.</remarks>
internal static class JpegScans
{
    private const byte StartOfScan = 0xDA;
    private const byte EndOfImage = 0xD9;

    /// <summary>The number of scans before the end marker, or <paramref name="limit"/> if there are more.</summary>
    internal static int Count(ReadOnlySpan<byte> jpeg, int limit)
    {
        var scans = 0;
        var rest = jpeg;
        while (scans < limit && TryNextMarker(ref rest, out var marker) && marker != EndOfImage)
        {
            scans += marker == StartOfScan ? 1 : 0;
            if (HasLength(marker) && rest.Length >= 2)
            {
                // Nothing in a segment is a marker, whatever it looks like.
                rest = rest[Math.Min(Math.Max(BinaryPrimitives.ReadUInt16BigEndian(rest), (ushort)2), rest.Length)..];
            }
        }

        return scans;
    }

    /// <summary>Moves behind the next marker; entropy-coded bytes and fill bytes on the way are skipped.</summary>
    private static bool TryNextMarker(ref ReadOnlySpan<byte> rest, out byte marker)
    {
        while (rest.IndexOf((byte)0xFF) is var at && at >= 0 && at + 1 < rest.Length)
        {
            marker = rest[at + 1];
            // Before a second 0xFF the first is fill; before 0 it is data.
            rest = rest[(at + (marker == 0xFF ? 1 : 2))..];
            if (marker is not (0 or 0xFF))
            {
                return true;
            }
        }

        marker = 0;
        return false;
    }

    /// <summary>Restart and start-of-image markers stand alone; all that matter otherwise are followed by a length.</summary>
    private static bool HasLength(byte marker) => marker is not (>= 0xD0 and <= 0xD8 or 0x01);
}
