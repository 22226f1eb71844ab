namespace Fpn.Client;

/// <summary>How a two-stage model came to its detections.</summary>
public sealed record Explanation
{
    /// <summary>Boxes that passed the model's score threshold, before non-maximum suppression.</summary>
    public required int Candidates { get; init; }

    /// <summary>For each detection of the answer, in its order, where it comes from.</summary>
    public required IReadOnlyList<DetectionOrigin> Detections { get; init; }

    /// <summary>All regions that the first stage proposed, best objectness first; of several views those of one view
    /// after those of another.</summary>
    public required IReadOnlyList<RegionProposal> Proposals { get; init; }

    /// <summary>The views that were merged; null where the image was looked at once.</summary>
    public IReadOnlyList<ImageView>? Views { get; init; }
}

/// <summary>Where one detection comes from.</summary>
public sealed record DetectionOrigin
{
    /// <summary>The pyramid level that its region was pooled from.</summary>
    public required string Level { get; init; }

    /// <summary>Place of its proposal among <see cref="Explanation.Proposals"/>, counted from 0.</summary>
    public required int ProposalIndex { get; init; }

    /// <summary>The region that the second stage classified and refined into the detection.</summary>
    public required RegionProposal Proposal { get; init; }

    /// <summary>What the first stage refined into the proposal.</summary>
    public required AnchorBox Anchor { get; init; }

    /// <summary>Boxes of the same class that were removed in its favor, best score first.</summary>
    public required IReadOnlyList<SuppressedBox> Suppressed { get; init; }

    /// <summary>Place of the view that found it among <see cref="Explanation.Views"/>, counted from 0; null where the
    /// image was looked at once.</summary>
    public int? View { get; init; }

    /// <summary>Detections that merging removed in its favor, best score first; null where the image was looked at
    /// once.</summary>
    public IReadOnlyList<MergedBox>? Merged { get; init; }
}

/// <summary>One look at an image.</summary>
public sealed record ImageView
{
    /// <summary>The part of the image that was looked at; whole pixels.</summary>
    public required BoundingBox Region { get; init; }

    /// <summary>The shorter side after resizing that was asked for; null for the model's own size.</summary>
    public int? MinSize { get; init; }

    /// <summary>Whether left and right were exchanged.</summary>
    public required bool Mirrored { get; init; }
}

/// <summary>A detection of a view that merging removed.</summary>
public sealed record MergedBox
{
    /// <summary>In the image.</summary>
    public required BoundingBox Box { get; init; }

    /// <summary>Its own, 0 to 1, five decimals.</summary>
    public required double Score { get; init; }

    /// <summary>Place of the view that found it among <see cref="Explanation.Views"/>.</summary>
    public required int View { get; init; }
}

/// <summary>A region that the first stage proposed.</summary>
public sealed record RegionProposal
{
    /// <summary>Clipped to the image.</summary>
    public required BoundingBox Box { get; init; }

    /// <summary>0 to 1, five decimals.</summary>
    public required double Objectness { get; init; }

    /// <summary>The pyramid level whose anchor it was made from.</summary>
    public required string Level { get; init; }

    /// <summary>Place of the view that it was proposed in among <see cref="Explanation.Views"/>, counted from 0; null
    /// where the image was looked at once.</summary>
    public int? View { get; init; }
}

/// <summary>The anchor behind a proposal.</summary>
public sealed record AnchorBox
{
    /// <summary>Not clipped: anchors reach beyond the image.</summary>
    public required BoundingBox Box { get; init; }

    /// <summary>The pyramid level that it stands on.</summary>
    public required string Level { get; init; }

    /// <summary>Square root of the area that it was made from, in pixels of the resized image.</summary>
    public required double Size { get; init; }

    /// <summary>Height over width that it was made from.</summary>
    public required double AspectRatio { get; init; }
}

/// <summary>A box that non-maximum suppression removed.</summary>
public sealed record SuppressedBox
{
    /// <summary>Clipped to the image.</summary>
    public required BoundingBox Box { get; init; }

    /// <summary>Its own, 0 to 1, five decimals.</summary>
    public required double Score { get; init; }

    /// <summary>Intersection over union with the detection.</summary>
    public required double Iou { get; init; }

    /// <summary>Place of the proposal that it came from, counted from 0.</summary>
    public required int ProposalIndex { get; init; }
}
