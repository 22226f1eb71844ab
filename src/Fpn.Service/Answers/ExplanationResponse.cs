using System.Text.Json.Serialization;
using Fpn.Detection.Views;
using Fpn.Models.Detectors;

namespace Fpn.Service.Answers;

/// <summary>How a two-stage model came to its detections: the answer to <c>explain=true</c>.</summary>
/// <param name="Candidates">
/// Boxes that passed the model's score threshold, before non-maximum suppression inside each class.
/// </param>
/// <param name="Detections">For each detection of the answer, in its order, where it comes from.</param>
/// <param name="Proposals">
/// All regions that the first stage proposed, best objectness first; of several views those of one view follow those of
/// another.
/// </param>
internal sealed record ExplanationResponse(
    int Candidates, IReadOnlyList<OriginResponse> Detections, IReadOnlyList<ProposalResponse> Proposals)
{
    /// <summary>The views that were merged; absent where the image was looked at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<ViewResponse>? Views { get; init; }

    /// <summary>Puts an explanation in the order of the answer.</summary>
    /// <param name="explanation">Of the whole image.</param>
    /// <param name="filter">Which detections the answer has.</param>
    public static ExplanationResponse Create(Explanation explanation, DetectionFilter filter) => new(
        explanation.Candidates,
        [
            .. filter.Apply(explanation.Detections, detection => detection.Object)
                .Select(detection => Origin(explanation, detection)),
        ],
        [.. explanation.Proposals.Select(proposal => Proposal(explanation, proposal))])
    {
        Views = explanation.Views.Count > 0 ? [.. explanation.Views.Select(ViewResponse.Create)] : null,
    };

    private static OriginResponse Origin(Explanation explanation, ExplainedDetection detection)
    {
        var proposal = explanation.Proposals[detection.Proposal];
        return new OriginResponse(
            detection.Object.Level!,
            detection.Proposal,
            Proposal(explanation, proposal),
            new AnchorResponse(
                BoxResponse.FromBox(proposal.Anchor.Box),
                proposal.Level,
                Rounded(proposal.Anchor.Size),
                Rounded(proposal.Anchor.AspectRatio)),
            [.. detection.Suppressed.Select(removed => new SuppressedResponse(
                BoxResponse.FromBox(removed.Box), Rounded(removed.Score), Rounded(removed.Iou), removed.Proposal))])
        {
            View = explanation.Views.Count > 0 ? detection.View : null,
            Merged = explanation.Views.Count > 0
                ?
                [
                    .. detection.Merged.Select(removed => new MergedResponse(
                        BoxResponse.FromBox(removed.Box), Rounded(removed.Score), removed.View)),
                ]
                : null,
        };
    }

    private static ProposalResponse Proposal(Explanation explanation, ExplainedProposal proposal) =>
        ProposalResponse.Create(proposal) with { View = explanation.Views.Count > 0 ? proposal.View : null };

    private static double Rounded(float value) => Math.Round((double)value, 5);
}

/// <summary>Where one detection comes from.</summary>
/// <param name="Level">The pyramid level that its region was pooled from, as in the detection itself.</param>
/// <param name="ProposalIndex">Place of its proposal among <c>proposals</c>, counted from 0.</param>
/// <param name="Proposal">The region that the second stage classified and refined into the detection.</param>
/// <param name="Anchor">What the first stage refined into the proposal.</param>
/// <param name="Suppressed">Boxes of the same class that were removed in its favour, best score first.</param>
internal sealed record OriginResponse(
    string Level,
    int ProposalIndex,
    ProposalResponse Proposal,
    AnchorResponse Anchor,
    IReadOnlyList<SuppressedResponse> Suppressed)
{
    /// <summary>Place of the view that found it among <c>views</c>, counted from 0; absent where the image was looked
    /// at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? View { get; init; }

    /// <summary>Detections of this view or of others that merging removed in its favor, best score first; absent where
    /// the image was looked at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<MergedResponse>? Merged { get; init; }
}

/// <summary>One look at the image.</summary>
/// <param name="Region">The part of it that was looked at; whole pixels.</param>
/// <param name="MinSize">The shorter side after resizing that was asked for; absent for the model's own size.</param>
/// <param name="Mirrored">Whether left and right were exchanged.</param>
internal sealed record ViewResponse(
    BoxResponse Region,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? MinSize,
    bool Mirrored)
{
    /// <summary>Describes a view.</summary>
    public static ViewResponse Create(View view) => new(
        new BoxResponse(view.Region.Left, view.Region.Top, view.Region.Right, view.Region.Bottom),
        view.MinSize,
        view.IsMirrored);
}

/// <summary>A detection that merging removed.</summary>
/// <param name="Box">In the image.</param>
/// <param name="Score">Its own, 0 to 1, five decimals.</param>
/// <param name="View">Place of the view that found it among <c>views</c>.</param>
internal sealed record MergedResponse(BoxResponse Box, double Score, int View);

/// <summary>The anchor behind a proposal.</summary>
/// <param name="Box">Not clipped: anchors reach beyond the image.</param>
/// <param name="Level">The pyramid level that it stands on.</param>
/// <param name="Size">Square root of the area that it was made from, in pixels of the resized image.</param>
/// <param name="AspectRatio">Height over width that it was made from.</param>
internal sealed record AnchorResponse(BoxResponse Box, string Level, double Size, double AspectRatio);

/// <summary>A box that non-maximum suppression removed.</summary>
/// <param name="Box">Clipped to the image.</param>
/// <param name="Score">Its own, 0 to 1, five decimals.</param>
/// <param name="Iou">Intersection over union with the detection, greater than the model's threshold.</param>
/// <param name="ProposalIndex">Place of the proposal that it came from.</param>
internal sealed record SuppressedResponse(BoxResponse Box, double Score, double Iou, int ProposalIndex);
