using System.Buffers.Binary;
using Fpn.Imaging.Codecs;

namespace Fpn.Imaging.Headers;

/// <summary>Recognizes the format of an image by its first bytes, whatever its name or declared type.</summary>
internal static class ImageSignature
{
    /// <summary>The format, or null when it is not supported or there are too few bytes.</summary>
    internal static ImageFormat? Identify(ReadOnlySpan<byte> encoded) => encoded switch
    {
        [0xFF, 0xD8, 0xFF, ..] => ImageFormat.Jpeg,
        [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => ImageFormat.Png,
        [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => ImageFormat.Gif,
        [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] =>
            ImageFormat.Webp,
        // Little or big endian; 42 is TIFF, 43 BigTIFF.
        [(byte)'I', (byte)'I', 42 or 43, 0, ..] or [(byte)'M', (byte)'M', 0, 42 or 43, ..] => ImageFormat.Tiff,
        _ => IsAvif(encoded) ? ImageFormat.Avif
            : BmpHeader.IsBmp(encoded) ? ImageFormat.Bmp
            : null,
    };

    /// <summary>An ISO media file whose brands, major or compatible, name AVIF; HEIC shares the container.</summary>
    private static bool IsAvif(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < 16 || !encoded[4..8].SequenceEqual("ftyp"u8))
        {
            return false;
        }

        var end = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(encoded), (uint)encoded.Length);
        for (var brand = 8; brand + 4 <= end; brand += 4)
        {
            // The four bytes after the major brand are its version.
            var name = encoded.Slice(brand, 4);
            if (brand != 12 && (name.SequenceEqual("avif"u8) || name.SequenceEqual("avis"u8)))
            {
                return true;
            }
        }

        return false;
    }
}
