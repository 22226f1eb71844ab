using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.RoiHeads;

/// <summary>How the box head's outputs become detections.</summary>
public sealed record RoiHeadsOptions
{
    /// <summary>Options with torchvision's defaults.</summary>
    public RoiHeadsOptions()
        : this(ConventionTable.Torchvision)
    {
    }

    /// <summary>Options with the defaults of a convention.</summary>
    public RoiHeadsOptions(ConventionRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        Background = rules.Background;
        BoxDeltas = rules.BoxDeltas;
        BoxWeights = rules.BoxWeights;
        ScoreThreshold = rules.DetectionScoreThreshold;
        NmsThreshold = rules.DetectionNmsThreshold;
        DetectionsPerImage = rules.DetectionsPerImage;
        MinBoxSize = rules.MinDetectionSize;
        DropNonFinite = rules.DropNonFiniteDetections;
        DropEmpty = rules.DropEmptyDetections;
        MaxShiftedBoxes = rules.MaxShiftedBoxes;
    }

    /// <summary>C: number of classes without the background.</summary>
    public required int Classes { get; init; }

    /// <summary>Position of the background among the logits.</summary>
    public BackgroundPosition Background { get; init; }

    /// <summary>What the head regresses.</summary>
    public BoxDeltasLayout BoxDeltas { get; init; }

    /// <summary>What the deltas are divided by.</summary>
    public BoxWeights BoxWeights { get; init; }

    /// <summary>Detections whose score (softmax) is greater than this are kept; equal is not enough.</summary>
    public float ScoreThreshold { get; init; }

    /// <summary>A detection is removed when its IoU with a better one of its class is greater than this.</summary>
    public double NmsThreshold { get; init; }

    /// <summary>Detections kept per image.</summary>
    public int DetectionsPerImage { get; init; }

    /// <summary>Shortest side of a detection, in resized-image pixels: kept when both sides are at least
    /// this.</summary>
    public float MinBoxSize { get; init; }

    /// <summary>Whether a RoI with an infinite coordinate in the box of any class is dropped as a whole; otherwise its
    /// boxes are clipped.</summary>
    public bool DropNonFinite { get; init; }

    /// <summary>Whether a detection is dropped that has no area in the original image, after it counted among the
    /// best.</summary>
    public bool DropEmpty { get; init; }

    /// <summary>Suppression shifts classes apart in float32 for up to this many boxes.</summary>
    public int MaxShiftedBoxes { get; init; }
}
