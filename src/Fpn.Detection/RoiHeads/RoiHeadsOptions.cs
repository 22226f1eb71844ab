using Fpn.Detection.Boxes;

namespace Fpn.Detection.RoiHeads;

/// <summary>Where the background stands among the class logits.</summary>
public enum BackgroundPosition
{
    /// <summary>Column 0 (torchvision).</summary>
    First,

    /// <summary>The last column (detectron2).</summary>
    Last,
}

/// <summary>What the box head regresses.</summary>
public enum BoxDeltasLayout
{
    /// <summary>[R, 4 (C + 1)] in the order of the logits' columns: four deltas a class, the background's unused (torchvision).</summary>
    PerClassWithBackground,

    /// <summary>[R, 4 C]: four deltas a class (detectron2).</summary>
    PerClass,

    /// <summary>[R, 4]: one box for all classes.</summary>
    Agnostic,
}

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

/// <summary>How the pooled level of a RoI is computed.</summary>
public enum LevelEpsilon
{
    /// <summary><c>floor(k0 + log2(sqrt(area) / s0) + 1e-6)</c> (torchvision).</summary>
    AfterLog,

    /// <summary><c>floor(k0 + log2(sqrt(area) / s0 + 1e-8))</c> (detectron2).</summary>
    InsideLog,
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
