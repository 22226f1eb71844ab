using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.RoiHeads;

/// <summary>How the box head's outputs become detections.</summary>
public sealed record RoiHeadsOptions
{
    /// <summary>C: number of classes without the background.</summary>
    public required int Classes { get; init; }

    /// <summary>Where the background stands among the logits.</summary>
    public BackgroundPosition Background { get; init; } = BackgroundPosition.First;

    /// <summary>What the head regresses.</summary>
    public BoxDeltasLayout BoxDeltas { get; init; } = BoxDeltasLayout.PerClassWithBackground;

    /// <summary>What the deltas are divided by.</summary>
    public BoxWeights BoxWeights { get; init; } = new(10, 10, 5, 5);

    /// <summary>Detections whose score (softmax) is greater than this are kept; equal is not enough.</summary>
    public float ScoreThreshold { get; init; } = 0.05f;

    /// <summary>A detection is removed when its IoU with a better one of its class is greater than this.</summary>
    public double NmsThreshold { get; init; } = 0.5;

    /// <summary>Detections kept per image.</summary>
    public int DetectionsPerImage { get; init; } = 100;

    /// <summary>Shortest side of a detection in resized-image pixels: kept when both sides are ≥ it. detectron2 has no such rule: 0.</summary>
    public float MinBoxSize { get; init; } = 1e-2f;

    /// <summary>Which reference decides shifting, small and non-finite boxes.</summary>
    public Convention Convention { get; init; } = Convention.Torchvision;
}

/// <summary>Eq. 1 of the FPN paper (arXiv:1612.03144): which level a RoI is pooled from.</summary>
public sealed record LevelAssignmentOptions
{
    /// <summary>k0: the level of a RoI of the canonical size.</summary>
    public int CanonicalLevel { get; init; } = 4;

    /// <summary>s0: square root of the area of a RoI that belongs to the canonical level, in padded-input pixels.</summary>
    public float CanonicalSize { get; init; } = 224;

    /// <summary>Where the reference puts its epsilon.</summary>
    public LevelEpsilon Epsilon { get; init; } = LevelEpsilon.AfterLog;
}
