namespace Fpn.Imaging.Codecs;

/// <summary>The meaning of the bands of decoded pixels, 8 bits each.</summary>
public enum PixelLayout
{
    /// <summary>A color model or sample type that the codec cannot turn into colors with certainty.</summary>
    Unknown,

    /// <summary>Three bands: red, green, blue.</summary>
    Rgb,

    /// <summary>Four bands: red, green, blue, not multiplied by the alpha behind them.</summary>
    Rgba,

    /// <summary>Four bands: cyan, magenta, yellow, black; 0 is no ink.</summary>
    Cmyk,
}
