using Fpn.Detection.Conventions;

namespace Fpn.Detection.Preprocessing;

/// <summary>How images become a model's input: the resize rule and the normalization.</summary>
public sealed record InputOptions
{
    /// <summary>Options with torchvision's defaults.</summary>
    public InputOptions()
        : this(ConventionTable.Torchvision)
    {
    }

    /// <summary>Options with the defaults of a convention.</summary>
    public InputOptions(ConventionRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        SizeDivisor = rules.SizeDivisor;
        SizeRounding = rules.SizeRounding;
        Resize = rules.ResizeFilter;
        ColorOrder = rules.ColorOrder;
        Scale = rules.PixelScale;
        Mean = rules.PixelMean;
        Std = rules.PixelStd;
    }

    /// <summary>The shorter side after resizing, in pixels, unless <see cref="MaxSize"/> forbids it.</summary>
    public required int MinSize { get; init; }

    /// <summary>The longer side after resizing is at most this, in pixels.</summary>
    public required int MaxSize { get; init; }

    /// <summary>Both sides are padded, right and bottom, to a multiple of this, in pixels.</summary>
    public int SizeDivisor { get; init; }

    /// <summary>How the resized sides become whole pixels.</summary>
    public SizeRounding SizeRounding { get; init; }

    /// <summary>How pixels are interpolated.</summary>
    public ResizeFilter Resize { get; init; }

    /// <summary>The order of the color planes.</summary>
    public ColorOrder ColorOrder { get; init; }

    /// <summary>Bytes are multiplied by this first: 1/255 or 1.</summary>
    public float Scale { get; init; }

    /// <summary>Subtracted after scaling; three values in the order of <see cref="ColorOrder"/>.</summary>
    public IReadOnlyList<float> Mean { get; init; }

    /// <summary>Divided by last; three values in the order of <see cref="ColorOrder"/>.</summary>
    public IReadOnlyList<float> Std { get; init; }

    /// <summary>Returns the same options with images resized to another size; the longest side keeps its proportion to
    /// the shorter one.</summary>
    /// <param name="minSize">The shorter side after resizing, in pixels, at least 1.</param>
    public InputOptions WithMinSize(int minSize)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(minSize, 1);
        return this with
        {
            MinSize = minSize,
            MaxSize = (int)Math.Round((double)minSize * MaxSize / MinSize, MidpointRounding.AwayFromZero),
        };
    }
}
