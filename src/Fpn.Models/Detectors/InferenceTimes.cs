namespace Fpn.Models.Detectors;

/// <summary>Where the time of one run went.</summary>
/// <param name="Backbone">The backbone's graph; the whole graph of a model that has only one.</param>
/// <param name="Proposals">Choice of proposals for the whole batch; null where the graph does it itself.</param>
/// <param name="Head">The head's graph, about zero without a proposal; null where there is no second graph.</param>
internal readonly record struct InferenceTimes(TimeSpan Backbone, TimeSpan? Proposals = null, TimeSpan? Head = null)
{
    /// <summary>Adds two runs; a part that only one of them has counts.</summary>
    public static InferenceTimes operator +(InferenceTimes a, InferenceTimes b) =>
        new(a.Backbone + b.Backbone, Add(a.Proposals, b.Proposals), Add(a.Head, b.Head));

    private static TimeSpan? Add(TimeSpan? a, TimeSpan? b) => a is null ? b : a + (b ?? TimeSpan.Zero);
}
