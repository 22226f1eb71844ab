using System.Buffers.Binary;
using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Headers;

/// <summary>
/// The place of a GIF's first frame on the canvas, and the color of the pixels that it does not show.
/// </summary>
/// <remarks>libvips leaves such pixels black. Pillow, whose pixels models were trained with, uses the transparent entry
/// of the palette, or the first one where none is transparent.</remarks>
/// <param name="Left">First column of the frame on the canvas.</param>
/// <param name="Top">First row.</param>
/// <param name="Size">The frame's size.</param>
/// <param name="Red">The color, with the next two; 0 … 255.</param>
/// <param name="Green">0 … 255.</param>
/// <param name="Blue">0 … 255.</param>
internal readonly record struct GifFirstFrame(int Left, int Top, ImageSize Size, byte Red, byte Green, byte Blue)
{
    private const int HeaderLength = 13;
    private const int DescriptorLength = 9;

    /// <summary>Reads the blocks before the first frame's pixels.</summary>
    /// <returns>False when they end early, or no palette has the color.</returns>
    internal static bool TryRead(ReadOnlySpan<byte> gif, out GifFirstFrame frame)
    {
        frame = default;
        if (gif.Length < HeaderLength)
        {
            return false;
        }

        var palette = ReadPalette(gif[HeaderLength..], gif[10]);
        var rest = gif[(HeaderLength + palette.Length)..];
        var background = 0;
        while (rest.Length > DescriptorLength)
        {
            if (rest[0] == 0x2C)
            {
                return TryReadFrame(rest[1..], palette, background, out frame);
            }

            if (rest[0] != 0x21)
            {
                return false;
            }

            // A graphic control extension: its flag 1 says that the last byte is the transparent entry.
            if (rest[1] == 0xF9 && rest[2] == 4 && (rest[3] & 1) != 0)
            {
                background = rest[6];
            }

            rest = SkipSubBlocks(rest[2..]);
        }

        return false;
    }

    /// <summary>Whether the first frame's pixels are complete, which not every codec checks.</summary>
    internal static bool HasEnd(ReadOnlySpan<byte> gif)
    {
        if (gif.Length < HeaderLength)
        {
            return false;
        }

        var rest = gif[HeaderLength..];
        rest = rest[Math.Min(PaletteLength(gif[10]), rest.Length)..];
        while (rest is [0x21, _, ..])
        {
            rest = SkipSubBlocks(rest[2..]);
        }

        if (rest.Length <= DescriptorLength || rest[0] != 0x2C)
        {
            return false;
        }

        // Behind the descriptor and a palette of its own: the code size, and blocks up to an empty one.
        var pixels = rest[(1 + DescriptorLength)..];
        pixels = pixels[Math.Min(PaletteLength(rest[DescriptorLength]) + 1, pixels.Length)..];
        while (!pixels.IsEmpty && pixels[0] != 0)
        {
            pixels = pixels[Math.Min(pixels[0] + 1, pixels.Length)..];
        }

        return !pixels.IsEmpty;
    }

    /// <summary>Writes the color to every pixel that the frame does not show.</summary>
    /// <param name="pixels">[H, W, bands] bytes of the canvas; a fourth band is alpha.</param>
    /// <param name="canvas">H × W.</param>
    /// <param name="bands">3 or 4.</param>
    internal void FillUncovered(Span<byte> pixels, ImageSize canvas, int bands)
    {
        if (bands == 3 && Left == 0 && Top == 0 && Size.Height >= canvas.Height && Size.Width >= canvas.Width)
        {
            return;
        }

        var offset = 0;
        for (var y = 0; y < canvas.Height; y++)
        {
            for (var x = 0; x < canvas.Width; x++, offset += bands)
            {
                var covered = y >= Top && y - Top < Size.Height && x >= Left && x - Left < Size.Width;
                if (!covered || (bands == 4 && pixels[offset + 3] == 0))
                {
                    pixels[offset] = Red;
                    pixels[offset + 1] = Green;
                    pixels[offset + 2] = Blue;
                }
            }
        }
    }

    private static bool TryReadFrame(
        ReadOnlySpan<byte> descriptor, ReadOnlySpan<byte> palette, int background, out GifFirstFrame frame)
    {
        frame = default;
        var local = ReadPalette(descriptor[DescriptorLength..], descriptor[8]);
        palette = local.IsEmpty ? palette : local;
        if (palette.Length < (background + 1) * 3)
        {
            return false;
        }

        var color = palette[(background * 3)..];
        var size = new ImageSize(
            BinaryPrimitives.ReadUInt16LittleEndian(descriptor[6..]),
            BinaryPrimitives.ReadUInt16LittleEndian(descriptor[4..]));
        frame = new GifFirstFrame(
            BinaryPrimitives.ReadUInt16LittleEndian(descriptor),
            BinaryPrimitives.ReadUInt16LittleEndian(descriptor[2..]),
            size,
            color[0],
            color[1],
            color[2]);
        return true;
    }

    /// <summary>The palette that <paramref name="flags"/> announce; empty where it is absent or cut off.</summary>
    private static ReadOnlySpan<byte> ReadPalette(ReadOnlySpan<byte> rest, byte flags)
    {
        var length = PaletteLength(flags);
        return length <= rest.Length ? rest[..length] : default;
    }

    private static int PaletteLength(byte flags) => (flags & 0x80) == 0 ? 0 : 3 << ((flags & 7) + 1);

    private static ReadOnlySpan<byte> SkipSubBlocks(ReadOnlySpan<byte> rest)
    {
        while (!rest.IsEmpty && rest[0] != 0)
        {
            rest = rest[Math.Min(rest[0] + 1, rest.Length)..];
        }

        return rest.IsEmpty ? rest : rest[1..];
    }
}
