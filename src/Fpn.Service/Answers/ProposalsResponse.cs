using System.Text.Json.Serialization;
using Fpn.Models.Detectors;

namespace Fpn.Service.Answers;

/// <summary>The answer of <c>/proposals</c>.</summary>
/// <param name="Model">Name of the model that answered.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Image">What was sent.</param>
/// <param name="Proposals">Best objectness first.</param>
/// <param name="Timings">Where the time went.</param>
/// <param name="BatchSize">Images that shared the run.</param>
internal sealed record ProposalsResponse(
    string Model,
    string ModelVersion,
    ImageResponse Image,
    IReadOnlyList<ProposalResponse> Proposals,
    TimingsResponse Timings,
    int BatchSize);

/// <summary>A region that the first stage proposed.</summary>
/// <param name="Box">Clipped to the image.</param>
/// <param name="Objectness">0 to 1, five decimals.</param>
/// <param name="Level">The pyramid level whose anchor it was made from.</param>
internal sealed record ProposalResponse(BoxResponse Box, double Objectness, string Level)
{
    /// <summary>Place of the view that it was proposed in among <c>views</c>, counted from 0; absent where the image
    /// was looked at once.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? View { get; init; }

    /// <summary>Rounds a proposal as it is reported.</summary>
    public static ProposalResponse Create(ExplainedProposal proposal) =>
        new(BoxResponse.FromBox(proposal.Box), Math.Round((double)proposal.Objectness, 5), proposal.Level);
}
