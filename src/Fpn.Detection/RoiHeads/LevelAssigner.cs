using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.RoiHeads;

/// <summary>Chooses the pooled level that a RoI's features are taken from: eq. 1 of the FPN paper
/// (arXiv:1612.03144).</summary>
/// <remarks>In float32, as <c>LevelMapper</c> in torchvision's <c>ops/poolers.py</c> and <c>assign_boxes_to_levels</c>
/// in detectron2's <c>modeling/poolers.py</c>; <see cref="LevelEpsilon"/> has the difference. Immutable, so
/// thread-safe.</remarks>
public sealed class LevelAssigner
{
    private const float EpsilonAfterLog = 1e-6f;
    private const float EpsilonInsideLog = 1e-8f;

    private readonly LevelAssignmentOptions _options;
    private readonly int _first;
    private readonly int _last;

    /// <summary>Makes an assigner.</summary>
    /// <param name="options">Canonical level and size.</param>
    /// <param name="firstPooledStrideLog2">log2 of the finest pooled level's stride: 2 for P2.</param>
    /// <param name="lastPooledStrideLog2">log2 of the coarsest pooled level's stride: 5 for P5.</param>
    /// <exception cref="ArgumentOutOfRangeException">The first is negative or beyond the last, or the canonical size is
    /// not positive.</exception>
    public LevelAssigner(LevelAssignmentOptions options, int firstPooledStrideLog2, int lastPooledStrideLog2)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(firstPooledStrideLog2);
        ArgumentOutOfRangeException.ThrowIfLessThan(lastPooledStrideLog2, firstPooledStrideLog2);
        if (!(options.CanonicalSize > 0 && float.IsFinite(options.CanonicalSize)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(options), options.CanonicalSize, "The canonical size must be positive.");
        }

        _options = options;
        _first = firstPooledStrideLog2;
        _last = lastPooledStrideLog2;
    }

    /// <summary>Chooses the level of one RoI.</summary>
    /// <param name="roi">xyxy, padded-input pixels.</param>
    /// <returns>Index among the pooled levels, 0 for the finest: level k minus the first, clamped to the existing ones.
    /// A RoI without area (or with NaN) goes to the finest.</returns>
    public int Assign(in Box roi)
    {
        var relativeSize = MathF.Sqrt(roi.Area) / _options.CanonicalSize;
        var level = _options.Epsilon == LevelEpsilon.AfterLog
            ? MathF.Floor(_options.CanonicalLevel + MathF.Log2(relativeSize) + EpsilonAfterLog)
            : MathF.Floor(_options.CanonicalLevel + MathF.Log2(relativeSize + EpsilonInsideLog));

        // Compared before converting: the level is −∞ for an empty RoI, and a NaN fails both.
        return level >= _last ? _last - _first : level > _first ? (int)level - _first : 0;
    }

    /// <summary>Chooses the levels of many RoIs.</summary>
    /// <param name="rois">[N] xyxy, padded-input pixels.</param>
    /// <param name="destination">[N] indices among the pooled levels, 0 for the finest.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    public void Assign(ReadOnlySpan<Box> rois, Span<int> destination)
    {
        if (rois.Length != destination.Length)
        {
            throw new ArgumentException($"There are {rois.Length} RoIs but room for {destination.Length} levels.");
        }

        for (var i = 0; i < rois.Length; i++)
        {
            destination[i] = Assign(rois[i]);
        }
    }
}
