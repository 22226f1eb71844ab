using System.Buffers.Binary;

namespace Fpn.Imaging.Headers;

/// <summary>Reads the chunks of a WebP before anything is decoded.</summary>
internal static class WebpChunks
{
    /// <summary>RIFF, its length, WEBP.</summary>
    private const int HeaderLength = 12;

    /// <summary>Whether the file has as many bytes as its header announces; not every codec checks that.</summary>
    internal static bool HasEnd(ReadOnlySpan<byte> webp) =>
        webp.Length >= HeaderLength && BinaryPrimitives.ReadUInt32LittleEndian(webp[4..]) <= (uint)webp.Length - 8;

    /// <summary>The content of the EXIF chunk, without the prefix of a JPEG's segment that some programs write; empty
    /// where the file has none.</summary>
    internal static ReadOnlySpan<byte> FindExif(ReadOnlySpan<byte> webp)
    {
        // Chunks of a name, a length and a content padded to two bytes.
        for (long at = HeaderLength; at + 8 <= webp.Length;)
        {
            var chunk = webp[(int)at..];
            var length = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (chunk.StartsWith("EXIF"u8))
            {
                var content = chunk.Slice(8, (int)Math.Min(length, (uint)(chunk.Length - 8)));
                var prefix = ExifOrientation.ExifPrefix;
                return content.StartsWith(prefix) ? content[prefix.Length..] : content;
            }

            at += 8 + length + (length & 1);
        }

        return default;
    }
}
