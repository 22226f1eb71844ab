namespace Fpn.Imaging.Codecs;

/// <summary>What the bands of decoded pixels mean; 8 bits each.</summary>
public enum PixelLayout
{
    /// <summary>A colour model, or a kind of number, that the codec cannot turn into colours with certainty.</summary>
    Unknown,

    /// <summary>Three bands: red, green, blue.</summary>
    Rgb,

    /// <summary>Four bands: red, green, blue, not multiplied by the alpha behind them.</summary>
    Rgba,

    /// <summary>Four bands: cyan, magenta, yellow, black; 0 is no ink.</summary>
    Cmyk,
}
