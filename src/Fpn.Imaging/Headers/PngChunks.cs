using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>What the chunks of a PNG tell before anything is decoded.</summary>
internal static class PngChunks
{
    private const int SignatureLength = 8;

    /// <summary>Length, type and checksum: what a chunk has around its content.</summary>
    private const int FrameLength = 12;

    private static ReadOnlySpan<byte> End => [0, 0, 0, 0, (byte)'I', (byte)'E', (byte)'N', (byte)'D', 0xAE, 0x42, 0x60, 0x82];

    /// <summary>The size in the header, which must be the first chunk; its checksum is not looked at.</summary>
    /// <remarks>libvips reads on to the first pixels before it tells the size, so that it would call a huge header
    /// with nothing behind it corrupt, not too large.</remarks>
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

    /// <summary>Whether the chain of chunks is whole up to the end chunk, which libvips does not wait for.</summary>
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

    /// <summary>The content of the EXIF chunk; empty without one.</summary>
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
