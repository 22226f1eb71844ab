using Fpn.Detection.Views;
using Fpn.Models.Packages;
using Fpn.Service.Answers;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Views;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>
/// The query of <c>/detect</c>, checked against the model that it names, which it holds until it is disposed.
/// </summary>
internal sealed class DetectQuery : IImageQuery<DetectQuery>
{
    private static readonly string[] Names =
    [
        QueryRules.Model, "scoreThreshold", "maxDetections", "labels", "label", "format", "imageId", "explain",
        .. ViewChoices.Names,
    ];

    private readonly LaneUse _use;

    private readonly ViewChoices _views;

    private DetectQuery(LaneUse use)
    {
        _use = use;
        Filter = new DetectionFilter(use.Lane.Model.Contract);
        _views = new ViewChoices(use.Lane.Model.Contract);
    }

    /// <inheritdoc/>
    public static IReadOnlyList<OutputChoice> Served => FormatNegotiation.Served;

    /// <inheritdoc/>
    public ModelLane Lane => _use.Lane;

    /// <summary>The contract of the model.</summary>
    public ModelContract Contract => Lane.Model.Contract;

    /// <summary>Which of its detections are reported.</summary>
    public DetectionFilter Filter { get; }

    /// <inheritdoc/>
    public OutputFormat? Format { get; private set; }

    /// <summary>The name of the image in COCO and VOC; only they use it. 0 … 2⁶³ − 1.</summary>
    public long ImageId { get; private set; }

    /// <summary>Whether the answer explains its detections.</summary>
    public bool Explain { get; private set; }

    /// <summary>Which looks are taken at the image; null for those of the model's package.</summary>
    public ViewOptions? Views => _views.Options;

    /// <inheritdoc/>
    public static Outcome<DetectQuery> Parse(IQueryCollection query, LaneRegistry lanes)
    {
        if (QueryRules.CheckNames(query, Names, repeated: "label") is { } wrong)
        {
            return wrong;
        }

        if (!QueryRules.TakeModel(query, lanes).Succeeded(out var use, out var unknown))
        {
            return unknown;
        }

        var parsed = new DetectQuery(use);
        if (parsed.Read(query) is { } problem)
        {
            parsed.Dispose();
            return problem;
        }

        return parsed;
    }

    /// <inheritdoc/>
    public Problem? Check(OutputChoice output) => Explain && output.Format != OutputFormat.Json
        ? Problem.BadParameter(
            "explain", "Only the format json can explain. Ask with format=json, or without explain.")
        : null;

    /// <inheritdoc/>
    public void Dispose() => _use.Dispose();

    private Problem? Read(IQueryCollection query) =>
        QueryRules.Apply(query, "scoreThreshold", Filter.SetScoreThreshold)
        ?? QueryRules.Apply(query, "maxDetections", Filter.SetMaxDetections)
        ?? QueryRules.Apply(query, "format", SetFormat)
        ?? QueryRules.Apply(query, "imageId", SetImageId)
        ?? QueryRules.Apply(query, "explain", SetExplain)
        ?? ViewChoices.Names
            .Select(name => QueryRules.Apply(query, name, (parameter, text) => _views.Set(name, parameter, text)))
            .FirstOrDefault(problem => problem is not null)
        ?? QueryRules.Apply(query, "labels", Filter.KeepLabels)
        ?? query["label"]
            .Select(label => Filter.KeepLabel("label", label ?? string.Empty))
            .FirstOrDefault(problem => problem is not null);

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

    private Problem? SetExplain(string parameter, string text)
    {
        // Python writes True and False.
        Explain = text is "true" or "True";
        return !Explain && text is not ("false" or "False")
            ? Problem.BadParameter(parameter, $"'{text}' is not true or false.")
            : Explain && Contract.ExplainRefusal is { } refusal ? Problem.BadParameter(parameter, refusal)
            : null;
    }
}
