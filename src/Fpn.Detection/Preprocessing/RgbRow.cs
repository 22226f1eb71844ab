using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fpn.Detection.Preprocessing;

/// <summary>Makes a row of RGB pixels of three rows of one channel each.</summary>
internal static unsafe class RgbRow
{
    /// <summary>In a shuffle: no byte from here.</summary>
    private const byte No = 255;

    /// <param name="channels">Red, green and blue, <paramref name="stride"/> bytes apart.</param>
    /// <param name="stride">At least <paramref name="width"/>.</param>
    /// <param name="target">3 · <paramref name="width"/> bytes.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="vectorized">Lanes: 16 pixels; the remainder, and everything where this is false, is scalar.</param>
    internal static void Interleave(byte* channels, int stride, byte* target, int width, bool vectorized)
    {
        byte* red = channels, green = red + stride, blue = green + stride;
        var x = 0;
        if (vectorized && Ssse3.IsSupported)
        {
            // Each vector of the target takes its bytes from 5 or 6 pixels.
            var red0 = Vector128.Create(0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No, No, (byte)5);
            var green0 = Vector128.Create(No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No, No);
            var blue0 = Vector128.Create(No, No, 0, No, No, 1, No, No, 2, No, No, 3, No, No, 4, No);
            var red1 = Vector128.Create(No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No, 10, No);
            var green1 = Vector128.Create(5, No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No, (byte)10);
            var blue1 = Vector128.Create(No, 5, No, No, 6, No, No, 7, No, No, 8, No, No, 9, No, No);
            var red2 = Vector128.Create(No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15, No, No);
            var green2 = Vector128.Create(No, No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, 15, No);
            var blue2 = Vector128.Create(10, No, No, 11, No, No, 12, No, No, 13, No, No, 14, No, No, (byte)15);
            for (; x <= width - Vector128<byte>.Count; x += Vector128<byte>.Count)
            {
                var (r, g, b) = (Vector128.Load(red + x), Vector128.Load(green + x), Vector128.Load(blue + x));
                var pixels = target + 3L * x;
                (Ssse3.Shuffle(r, red0) | Ssse3.Shuffle(g, green0) | Ssse3.Shuffle(b, blue0)).Store(pixels);
                (Ssse3.Shuffle(r, red1) | Ssse3.Shuffle(g, green1) | Ssse3.Shuffle(b, blue1)).Store(pixels + 16);
                (Ssse3.Shuffle(r, red2) | Ssse3.Shuffle(g, green2) | Ssse3.Shuffle(b, blue2)).Store(pixels + 32);
            }
        }

        for (; x < width; x++)
        {
            var pixel = target + 3L * x;
            pixel[0] = red[x];
            pixel[1] = green[x];
            pixel[2] = blue[x];
        }
    }
}
