using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Painting;

/// <summary>The color of each class.</summary>
/// <remarks>
/// A color depends on the class's number alone, so it is the same in every picture, whatever else was found. Hues turn
/// by the golden angle, which keeps the first few far apart; saturation changes from one round to the next. Every color
/// is light enough for dark text and for a dark outline: on any background one of the two stands out.
/// </remarks>
internal static class ClassColors
{
    /// <summary>Nearly black: the color of outlines, and of text on a plate in a class's color.</summary>
    public static readonly Rgb Outline = new(16, 16, 16);

    /// <summary>The contrast ratio that WCAG 2.2 requires of text.</summary>
    private const double LeastContrast = 4.5;

    private const double GoldenRatio = 0.618033988749895;

    private const int ColorsPerRound = 8;

    private static readonly double[] s_saturations = [1, 0.6, 0.8];

    /// <summary>Computes the color of a class.</summary>
    /// <param name="number">The position of the class, from 0.</param>
    public static Rgb ColorFor(int number)
    {
        var hue = number * GoldenRatio % 1;
        var saturation = s_saturations[number / ColorsPerRound % s_saturations.Length];
        while (true)
        {
            var color = Bright(hue, saturation);
            if (color.ContrastTo(Outline) >= LeastContrast)
            {
                return color;
            }

            // Blue and its neighbors are dark at full value: move them towards white.
            saturation -= 0.02;
        }
    }

    /// <summary>The color of the hexagonal model at full value.</summary>
    /// <param name="hue">0 (red) to 1 (red again).</param>
    /// <param name="saturation">0 (white) to 1.</param>
    private static Rgb Bright(double hue, double saturation)
    {
        return new Rgb(Channel(5), Channel(3), Channel(1));

        byte Channel(int offset)
        {
            var k = (offset + hue * 6) % 6;
            return (byte)Math.Round(255 * (1 - saturation * Math.Clamp(Math.Min(k, 4 - k), 0, 1)));
        }
    }
}
