using Fpn.Detection.Conventions;

namespace Fpn.Detection.Preprocessing;

/// <summary>What a model wants to be fed with: the resize rule and the normalisation.</summary>
public sealed record InputOptions
{
    /// <summary>The shorter side after resizing, in pixels, unless <see cref="MaxSize"/> forbids it.</summary>
    public required int MinSize { get; init; }

    /// <summary>The longer side after resizing is at most this, in pixels.</summary>
    public required int MaxSize { get; init; }

    /// <summary>Both sides are padded, right and bottom, to a multiple of this, in pixels.</summary>
    public int SizeDivisor { get; init; } = 32;

    /// <summary>How the resized sides become whole pixels.</summary>
    public SizeRounding SizeRounding { get; init; } = SizeRounding.FloorFloat32;

    /// <summary>How pixels are interpolated.</summary>
    public ResizeFilter Resize { get; init; } = ResizeFilter.Bilinear;

    /// <summary>The order of the colour planes.</summary>
    public ColorOrder ColorOrder { get; init; } = ColorOrder.Rgb;

    /// <summary>Bytes are multiplied by this first: 1/255 or 1.</summary>
    public float Scale { get; init; } = 1f / 255;

    /// <summary>Subtracted after scaling; three values in the order of <see cref="ColorOrder"/>.</summary>
    public IReadOnlyList<float> Mean { get; init; } = [0.485f, 0.456f, 0.406f];

    /// <summary>Divided by last; three values in the order of <see cref="ColorOrder"/>.</summary>
    public IReadOnlyList<float> Std { get; init; } = [0.229f, 0.224f, 0.225f];
}
