using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Reads the chunks of a PNG before anything is decoded.</summary>
internal static class PngChunks
{
    private const int SignatureLength = 8;

    /// <summary>Bytes of length, type and checksum around the content of a chunk.</summary>
    private const int FrameLength = 12;

    private static ReadOnlySpan<byte> End =>
        [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];

    /// <summary>Reads the size from the header, which must be the first chunk; its checksum is not verified.</summary>
    /// <remarks>libvips reads up to the first pixels before it reports a size, so it would report a huge header with
    /// nothing behind it as corrupt, not as too large.</remarks>
    internal static bool TryReadSize(ReadOnlySpan<byte> png, out uint width, out uint height)
    {
        width = height = 0;
        if (png.Length < 24 || !png[12..16].SequenceEqual("IHDR"u8))
        {
            return false;
        }

        width = BinaryPrimitives.ReadUInt32BigEndian(png[16..]);
        height = BinaryPrimitives.ReadUInt32BigEndian(png[20..]);
        return true;
    }

    /// <summary>Whether the chain of chunks reaches the end chunk, which libvips does not check.</summary>
    internal static bool HasEnd(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + FrameLength <= png.Length;)
        {
            var chunk = png[(int)at..];
            if (chunk.StartsWith(End))
            {
                return true;
            }

            at += FrameLength + BinaryPrimitives.ReadUInt32BigEndian(chunk);
        }

        return false;
    }

    /// <summary>The content of the EXIF chunk; empty where the file has none.</summary>
    internal static ReadOnlySpan<byte> FindExif(ReadOnlySpan<byte> png)
    {
        for (long at = SignatureLength; at + FrameLength <= png.Length;)
        {
            var chunk = png[(int)at..];
            var length = BinaryPrimitives.ReadUInt32BigEndian(chunk);
            if (chunk[4..8].SequenceEqual("eXIf"u8))
            {
                return chunk.Slice(8, (int)Math.Min(length, (uint)(chunk.Length - FrameLength)));
            }

            at += FrameLength + length;
        }

        return default;
    }
}
