using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Fpn.Detection.Imaging;

/// <summary>Makes a row of RGB pixels of three rows of one channel each.</summary>
internal static unsafe class RgbRow
{
    /// <param name="channels">Red, green and blue, <paramref name="stride"/> bytes apart.</param>
    /// <param name="stride">At least <paramref name="width"/>.</param>
    /// <param name="target">3 · <paramref name="width"/> bytes.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="vectorised">Lanes: 16 pixels; the remainder, and everything where this is false, is scalar.</param>
    internal static void Interleave(byte* channels, int stride, byte* target, int width, bool vectorised)
    {
        byte* red = channels, green = red + stride, blue = green + stride;
        var x = 0;
        if (vectorised && Ssse3.IsSupported)
        {
            // Each vector of the target takes its bytes from 5 or 6 pixels; an index of 255 gives 0.
            var red0 = Vector128.Create(0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, 255, (byte)5);
            var green0 = Vector128.Create(255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, 255, (byte)255);
            var blue0 = Vector128.Create(255, 255, 0, 255, 255, 1, 255, 255, 2, 255, 255, 3, 255, 255, 4, (byte)255);
            var red1 = Vector128.Create(255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, 10, (byte)255);
            var green1 = Vector128.Create(5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, 255, (byte)10);
            var blue1 = Vector128.Create(255, 5, 255, 255, 6, 255, 255, 7, 255, 255, 8, 255, 255, 9, 255, (byte)255);
            var red2 = Vector128.Create(255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, 255, (byte)255);
            var green2 = Vector128.Create(255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, 15, (byte)255);
            var blue2 = Vector128.Create(10, 255, 255, 11, 255, 255, 12, 255, 255, 13, 255, 255, 14, 255, 255, (byte)15);
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
