using Fpn.Detection.Proposals;
using Fpn.Service.Detect;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary>The query of <c>/proposals</c>, checked against the model that it names, which it holds until it is
/// disposed.</summary>
internal sealed class ProposalQuery : IImageQuery<ProposalQuery>
{
    private static readonly string[] Names =
        [QueryRules.Model, "topN", "nmsThreshold", "scoreThreshold", "format", "imageId"];

    private readonly LaneUse _use;
    private readonly ProposalChoices _choices;

    private ProposalQuery(LaneUse use) => (_use, _choices) = (use, new ProposalChoices(use.Lane.Model.Contract));

    /// <summary>What <c>/proposals</c> serves: proposals have no class, which the other formats need.</summary>
    public static IReadOnlyList<OutputChoice> Served { get; } =
        [.. FormatNegotiation.Served.Where(choice => choice.Format is OutputFormat.Json or OutputFormat.Coco)];

    /// <inheritdoc/>
    public ModelLane Lane => _use.Lane;

    /// <summary>The model's numbers, with those that the query gives in their place.</summary>
    public ProposalOptions Options => _choices.Options;

    /// <inheritdoc/>
    public OutputFormat? Format { get; private set; }

    /// <summary>The name of the image in COCO. 0 … 2⁶³ − 1.</summary>
    public long ImageId { get; private set; }

    /// <inheritdoc/>
    public static Outcome<ProposalQuery> Parse(IQueryCollection query, LaneRegistry lanes)
    {
        if (QueryRules.CheckNames(query, Names) is { } wrong)
        {
            return wrong;
        }

        if (!StageModel.Take(query, lanes).Succeeded(out var use, out var problem))
        {
            return problem;
        }

        var parsed = new ProposalQuery(use);
        if (parsed.Read(query) is { } bad)
        {
            parsed.Dispose();
            return bad;
        }

        return parsed;
    }

    /// <inheritdoc/>
    public void Dispose() => _use.Dispose();

    private Problem? Read(IQueryCollection query) =>
        QueryRules.Apply(query, "topN", _choices.SetTopN)
        ?? QueryRules.Apply(query, "nmsThreshold", _choices.SetNmsThreshold)
        ?? QueryRules.Apply(query, "scoreThreshold", _choices.SetScoreThreshold)
        ?? QueryRules.Apply(query, "format", SetFormat)
        ?? QueryRules.Apply(query, "imageId", SetImageId);

    private Problem? SetFormat(string parameter, string text)
    {
        var problem = QueryRules.ReadFormat(parameter, text, Served, out var format);
        Format = format;
        return problem;
    }

    private Problem? SetImageId(string parameter, string text)
    {
        var problem = QueryRules.ReadImageId(parameter, text, out var imageId);
        ImageId = imageId;
        return problem;
    }
}
