using Fpn.Detection.Geometry;
using Fpn.Detection.Views;

namespace Fpn.Models.Detectors;

/// <summary>How a two-stage model came to the detections of one image. Boxes are xyxy in pixels of the original
/// image.</summary>
/// <param name="Detections">Best first, each with its origin.</param>
/// <param name="Proposals">All proposals of the image, best objectness first; of several views those of one view follow
/// those of another.</param>
/// <param name="Candidates">Boxes that passed the score threshold, before suppression.</param>
internal sealed record Explanation(
    IReadOnlyList<ExplainedDetection> Detections, IReadOnlyList<ExplainedProposal> Proposals, int Candidates)
{
    /// <summary>The detections alone, best first.</summary>
    public IReadOnlyList<DetectedObject> Objects { get; } = [.. Detections.Select(detection => detection.Object)];

    /// <summary>The views that were merged; empty where the image was looked at once.</summary>
    public IReadOnlyList<View> Views { get; init; } = [];
}

/// <summary>Where one detection comes from.</summary>
/// <param name="Object">The detection.</param>
/// <param name="Proposal">Index of the proposal that the head scored.</param>
/// <param name="Suppressed">What non-maximum suppression removed in its favor, best first.</param>
internal sealed record ExplainedDetection(
    DetectedObject Object, int Proposal, IReadOnlyList<SuppressedObject> Suppressed)
{
    /// <summary>The view that found it.</summary>
    public int View { get; init; }

    /// <summary>What other views found, or this one, and merging removed in its favor, best first.</summary>
    public IReadOnlyList<MergedObject> Merged { get; init; } = [];
}

/// <summary>A detection of a view that merging removed in favor of another.</summary>
/// <param name="Box">In the image.</param>
/// <param name="Score">Its own softmax score.</param>
/// <param name="View">The view that found it.</param>
internal readonly record struct MergedObject(Box Box, float Score, int View);

/// <summary>A region that the first stage proposed.</summary>
/// <param name="Box">Clipped to the image.</param>
/// <param name="Objectness">Sigmoid, 0 to 1.</param>
/// <param name="Level">Name of the level whose anchor it was decoded from.</param>
/// <param name="Anchor">That anchor.</param>
internal readonly record struct ExplainedProposal(Box Box, float Objectness, string Level, ExplainedAnchor Anchor)
{
    /// <summary>The view that it was proposed in.</summary>
    public int View { get; init; }
}

/// <summary>The anchor behind a proposal.</summary>
/// <param name="Box">Not clipped: anchors reach beyond the image.</param>
/// <param name="Size">Square root of the area that it was made from, in pixels of the resized image.</param>
/// <param name="AspectRatio">Height over width that it was made from.</param>
internal readonly record struct ExplainedAnchor(Box Box, float Size, float AspectRatio);

/// <summary>A box that was removed in favor of a detection of its class.</summary>
/// <param name="Box">Clipped to the image.</param>
/// <param name="Score">Its own softmax score.</param>
/// <param name="Iou">Overlap with the detection, as suppression compared it.</param>
/// <param name="Proposal">Index of the proposal that it came from.</param>
internal readonly record struct SuppressedObject(Box Box, float Score, float Iou, int Proposal);
