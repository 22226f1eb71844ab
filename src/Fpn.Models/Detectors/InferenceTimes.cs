namespace Fpn.Models.Detectors;

/// <summary>Where the time of one run went.</summary>
/// <param name="Backbone">The backbone's graph; the whole graph of a model that has only one.</param>
/// <param name="Proposals">Choice of proposals for the whole batch; null where the graph does it itself.</param>
/// <param name="Head">The head's graph, about zero without a proposal; null where there is no second graph.</param>
internal readonly record struct InferenceTimes(TimeSpan Backbone, TimeSpan? Proposals = null, TimeSpan? Head = null);
