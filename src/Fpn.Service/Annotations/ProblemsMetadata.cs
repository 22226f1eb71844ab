using Fpn.Service.Problems;

namespace Fpn.Service.Annotations;

/// <summary>Examples of the problems that an endpoint may answer with, for the OpenAPI document.</summary>
/// <param name="problems">At least one of each type.</param>
internal sealed class ProblemsMetadata(params Problem[] problems)
{
    /// <summary>At least one of each type.</summary>
    public IReadOnlyList<Problem> Problems { get; } = problems;
}
