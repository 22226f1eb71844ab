using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Reads the markers of a JPEG before anything is decoded.</summary>
/// <remarks>Each scan costs a pass over the whole picture, and a valid progressive JPEG may have hundreds of nearly
/// empty ones: 60 KB that take a processor core a minute. libvips notices a missing end marker only when the decoder
/// happens to need one more byte.</remarks>
/// <param name="Scans">Scans before the end marker; counting stops at the limit.</param>
/// <param name="HasEnd">Whether the file has its end marker (undefined when the limit was reached).</param>
internal readonly record struct JpegMarkers(int Scans, bool HasEnd)
{
    private const byte StartOfScan = 0xDA;
    private const byte EndOfImage = 0xD9;
    private const byte ApplicationOne = 0xE1;

    /// <summary>Walks from marker to marker.</summary>
    /// <param name="jpeg">A whole file; bytes after the end marker are ignored.</param>
    /// <param name="scanLimit">The number of scans at which counting stops.</param>
    internal static JpegMarkers Read(ReadOnlySpan<byte> jpeg, int scanLimit)
    {
        var scans = 0;
        var rest = jpeg;
        while (scans < scanLimit && TryNextMarker(ref rest, out var marker))
        {
            if (marker == EndOfImage)
            {
                return new(scans, true);
            }

            scans += marker == StartOfScan ? 1 : 0;
            if (HasLength(marker) && rest.Length >= 2)
            {
                // Nothing in a segment is a marker, whatever it looks like.
                rest = rest[Math.Min(Math.Max(BinaryPrimitives.ReadUInt16BigEndian(rest), (ushort)2), rest.Length)..];
            }
        }

        return new(scans, false);
    }

    /// <summary>The EXIF block of the first segment that has one; empty where none has.</summary>
    internal static ReadOnlySpan<byte> FindExif(ReadOnlySpan<byte> jpeg)
    {
        var rest = jpeg;
        while (TryNextMarker(ref rest, out var marker) && marker is not (StartOfScan or EndOfImage))
        {
            if (!HasLength(marker) || rest.Length < 2)
            {
                continue;
            }

            var segment = rest[..Math.Clamp(BinaryPrimitives.ReadUInt16BigEndian(rest), 2, rest.Length)];
            if (marker == ApplicationOne && segment[2..].StartsWith(ExifOrientation.ExifPrefix))
            {
                return segment[(2 + ExifOrientation.ExifPrefix.Length)..];
            }

            rest = rest[segment.Length..];
        }

        return default;
    }

    /// <summary>The segment of the first frame, from its length on; empty where there is none before the
    /// scan.</summary>
    /// <param name="jpeg">A whole JPEG.</param>
    /// <param name="looked">How many bytes were looked at.</param>
    internal static ReadOnlySpan<byte> FindFrame(ReadOnlySpan<byte> jpeg, out int looked)
    {
        var rest = jpeg;
        while (TryNextMarker(ref rest, out var marker) && marker is not (StartOfScan or EndOfImage))
        {
            // SOF 0 to 15, of which three numbers are tables.
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                looked = jpeg.Length - rest.Length;
                return rest;
            }

            if (HasLength(marker) && rest.Length >= 2)
            {
                rest = rest[Math.Clamp(BinaryPrimitives.ReadUInt16BigEndian(rest), 2, rest.Length)..];
            }
        }

        looked = jpeg.Length;
        return default;
    }

    /// <summary>Moves past the next marker; skips entropy-coded bytes and fill bytes on the way.</summary>
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

    /// <summary>
    /// Whether a length follows the marker: restart and start-of-image markers stand alone, all others that matter have
    /// one.
    /// </summary>
    private static bool HasLength(byte marker) => marker is not (>= 0xD0 and <= 0xD8 or 0x01);
}
