namespace Fpn.Imaging.Pixels;

/// <summary>Turns inks into colors.</summary>
internal static class InkColors
{
    /// <summary>Converts cyan, magenta, yellow and black to red, green and blue, in place.</summary>
    /// <param name="pixels">[N, 4] inks, 0 … 255, 0 is none; afterwards the first 3 N bytes are [N, 3] colors.</param>
    /// <remarks>The colors on paper would take a profile of the press. Pillow's <c>convert("RGB")</c> uses none, and
    /// models are trained with its pixels: each color is the light that its ink and black leave, with the same
    /// rounding. Source: Pillow, <c>Convert.c</c>, <c>cmyk2rgb</c>.</remarks>
    internal static void ToRgb(Span<byte> pixels)
    {
        for (int from = 0, to = 0; from < pixels.Length; from += 4, to += 3)
        {
            var light = 255 - pixels[from + 3];
            var (cyan, magenta, yellow) = (pixels[from], pixels[from + 1], pixels[from + 2]);
            pixels[to] = (byte)(light - Share(cyan, light));
            pixels[to + 1] = (byte)(light - Share(magenta, light));
            pixels[to + 2] = (byte)(light - Share(yellow, light));
        }
    }

    /// <summary>a × b / 255, rounded.</summary>
    private static int Share(int a, int b)
    {
        var product = a * b + 128;
        return ((product >> 8) + product) >> 8;
    }
}
