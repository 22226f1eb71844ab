namespace Fpn.Imaging.Pixels;

/// <summary>Turns inks into colours.</summary>
internal static class InkColors
{
    /// <summary>Cyan, magenta, yellow and black become red, green and blue, in place; three of four bytes remain.</summary>
    /// <param name="pixels">[N, 4] inks, 0 … 255, 0 is none; afterwards the first 3 N bytes are [N, 3] colours.</param>
    /// <remarks>What paper would show takes a profile of the press. Pillow's <c>convert("RGB")</c> does without, and so
    /// do the pictures that models are trained with: each colour is the light that its ink and black leave, with the
    /// same rounding. Source: Pillow, <c>Convert.c</c>, <c>cmyk2rgb</c>.</remarks>
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
