using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.Preprocessing;

/// <summary>Computes how large an image becomes before it enters the network.</summary>
/// <remarks>Immutable and thread-safe. Sources: torchvision's <c>models/detection/transform.py</c>,
/// detectron2's <c>data/transforms/augmentation_impl.py</c> (<c>ResizeShortestEdge</c>).</remarks>
public sealed class ResizeTransform
{
    private readonly int _minSize;
    private readonly int _maxSize;
    private readonly int _sizeDivisor;
    private readonly SizeRounding _rounding;

    /// <summary>Reads the rule from a model's input options.</summary>
    /// <param name="options">Sizes, divisor and rounding; the rest is not used.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size or the divisor is below 1, or the rounding is
    /// unknown.</exception>
    public ResizeTransform(InputOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MinSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.SizeDivisor, 1);
        if (!Enum.IsDefined(options.SizeRounding))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.SizeRounding, "Unknown size rounding.");
        }

        _minSize = options.MinSize;
        _maxSize = options.MaxSize;
        _sizeDivisor = options.SizeDivisor;
        _rounding = options.SizeRounding;
    }

    /// <summary>Computes the size after resizing, before padding.</summary>
    /// <param name="original">The image as displayed; both sides at least 1.</param>
    /// <returns>The resized size. A side that the rule would round to 0 (a 3000×1 image) is 1, where the
    /// reference implementations fail.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A side of <paramref name="original"/> is below 1.</exception>
    public ImageSize ResizedSize(ImageSize original)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(original.Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(original.Width, 1);
        return _rounding == SizeRounding.FloorFloat32 ? FloorFloat32(original) : RoundHalfUp(original);
    }

    /// <summary>Computes the size after padding right and bottom to multiples of the divisor.</summary>
    /// <param name="resized">A resized size; both sides at least 1.</param>
    /// <returns>The smallest multiples of the divisor that are not below the sides.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A side is below 1.</exception>
    /// <exception cref="OverflowException">A padded side does not fit 31 bits.</exception>
    public ImageSize PaddedSize(ImageSize resized)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resized.Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(resized.Width, 1);
        return new ImageSize(Pad(resized.Height), Pad(resized.Width));
    }

    private int Pad(int side) => checked((int)(((long)side + _sizeDivisor - 1) / _sizeDivisor * _sizeDivisor));

    private ImageSize FloorFloat32(ImageSize original)
    {
        // torch divides a Python number by a tensor as number * reciprocal(tensor), each rounded to float32:
        // 800/427 in one rounding would turn 427 into 800; the reference gives 799.
        var byShort = _minSize * (1f / Math.Min(original.Height, original.Width));
        var byLong = _maxSize * (1f / Math.Max(original.Height, original.Width));
        double scale = MathF.Min(byShort, byLong);
        return new ImageSize(
            Math.Max(1, (int)Math.Floor(original.Height * scale)),
            Math.Max(1, (int)Math.Floor(original.Width * scale)));
    }

    private ImageSize RoundHalfUp(ImageSize original)
    {
        var scale = (double)_minSize / Math.Min(original.Height, original.Width);
        // The shorter side is the target itself, not old * scale, which could miss it by a rounding.
        var (height, width) = original.Height < original.Width
            ? (_minSize, scale * original.Width)
            : (scale * original.Height, (double)_minSize);
        var longer = Math.Max(height, width);
        if (longer > _maxSize)
        {
            scale = _maxSize / longer;
            height *= scale;
            width *= scale;
        }

        return new ImageSize(Math.Max(1, (int)(height + 0.5)), Math.Max(1, (int)(width + 0.5)));
    }
}
