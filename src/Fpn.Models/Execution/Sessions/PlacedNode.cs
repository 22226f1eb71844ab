namespace Fpn.Models.Execution.Sessions;

/// <summary>A node of a loaded graph, and what ONNX Runtime gave it to.</summary>
/// <param name="Name">Its name in the file, or the one that an optimisation gave it; may be empty.</param>
/// <param name="OperatorType">What it computes; an operator that is not ONNX's own begins with its domain.</param>
/// <param name="Provider">ONNX Runtime's name of the execution provider, such as <c>CPUExecutionProvider</c>.</param>
internal sealed record PlacedNode(string Name, string OperatorType, string Provider)
{
    private const string Suffix = "ExecutionProvider";

    /// <summary>The provider as settings name it: <c>cpu</c>, <c>cuda</c>.</summary>
    public string ProviderName =>
        Provider[..^(Provider.EndsWith(Suffix, StringComparison.Ordinal) ? Suffix.Length : 0)].ToLowerInvariant();
}
