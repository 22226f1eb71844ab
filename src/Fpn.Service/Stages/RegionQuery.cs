using Fpn.Service.Answers;
using Fpn.Service.Detect;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Stages;

/// <summary>The query of <c>/regions</c>, checked; it holds the model that it names until it is disposed.</summary>
internal sealed class RegionQuery : IImageQuery<RegionQuery>
{
    /// <summary>Classes that are listed for each region unless the query says otherwise.</summary>
    public const int DefaultTop = 5;

    private static readonly string[] Names = [QueryRules.Model, "top"];

    private readonly LaneUse _use;

    private RegionQuery(LaneUse use, int top) => (_use, Top) = (use, top);

    /// <inheritdoc/>
    public static IReadOnlyList<OutputChoice> Served { get; } =
        [.. FormatNegotiation.Served.Where(choice => choice.Format == OutputFormat.Json)];

    /// <inheritdoc/>
    public ModelLane Lane => _use.Lane;

    /// <summary>Null: there is no choice.</summary>
    public OutputFormat? Format => null;

    /// <summary>Classes that are listed for each region.</summary>
    public int Top { get; }

    /// <inheritdoc/>
    public static Outcome<RegionQuery> Parse(IQueryCollection query, LaneRegistry lanes)
    {
        var top = DefaultTop;
        var wrong = QueryRules.CheckNames(query, Names)
            ?? QueryRules.Apply(query, "top", (name, text) => NumberText.ReadLimit(name, text, out top));
        if (wrong is not null)
        {
            return wrong;
        }

        return StageModel.Take(query, lanes).Succeeded(out var use, out var problem)
            ? new RegionQuery(use, top)
            : problem;
    }

    /// <inheritdoc/>
    public void Dispose() => _use.Dispose();
}
