using Fpn.Models.Options;

namespace Fpn.Models.Execution.Sessions;

/// <summary>Which execution provider runs each node of a graph, and which of them fell back to the CPU.</summary>
/// <remarks>
/// As decided when the session divided the graph, after the optimisations that hold on every provider: fusions within
/// one provider come later and move nothing, and the copies between GPU and CPU that a fallback costs are not among the
/// nodes.
/// </remarks>
internal sealed class NodePlacement
{
    private const string Cpu = "CPUExecutionProvider";

    /// <summary>
    /// What sizes are computed with. The CUDA provider has kernels for all of them, for floats too; so one of them is
    /// on the CPU only where ONNX Runtime chose so, because all that it reads is there already: the size of another
    /// tensor, or what a node that did fall back computed.
    /// </summary>
    private static readonly HashSet<string> ShapeOperators = new(StringComparer.Ordinal)
    {
        "Shape", "Size", "Constant", "ConstantOfShape", "Identity", "Cast", "Gather", "Slice", "Split", "Concat",
        "Squeeze", "Unsqueeze", "Reshape", "Expand", "Tile", "Transpose", "Range", "Add", "Sub", "Mul", "Div", "Mod",
        "Neg", "Abs", "Floor", "Ceil", "Round", "Sqrt", "Pow", "Min", "Max", "ReduceProd", "ReduceSum", "ReduceMin",
        "ReduceMax", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "And", "Or", "Not", "Where",
    };

    /// <summary>Judges a placement.</summary>
    /// <param name="nodes">All nodes of the graph.</param>
    /// <param name="provider">What the graph is meant to run on; on the CPU nothing falls back.</param>
    public NodePlacement(IReadOnlyList<PlacedNode> nodes, ExecutionProvider provider)
    {
        Nodes = nodes;
        Providers =
        [
            .. nodes.GroupBy(node => node.ProviderName)
                .Select(group => (group.Key, group.Count()))
                .OrderByDescending(group => group.Item2)
                .ThenBy(group => group.Key, StringComparer.Ordinal),
        ];
        PlacedNode[] onCpu = provider == ExecutionProvider.Cpu ? [] : [.. nodes.Where(node => node.Provider == Cpu)];
        FallenBack = [.. onCpu.Where(node => !ShapeOperators.Contains(node.OperatorType))];
        KeptOnCpu = [.. onCpu.Where(node => ShapeOperators.Contains(node.OperatorType))];
    }

    /// <summary>All nodes, in the order in which ONNX Runtime lists them.</summary>
    public IReadOnlyList<PlacedNode> Nodes { get; }

    /// <summary>How many nodes each provider runs, by its name in settings; most first.</summary>
    public IReadOnlyList<(string Provider, int Count)> Providers { get; }

    /// <summary>
    /// Nodes that the GPU should run and the CPU does: their tensors cross over and back with every batch.
    /// </summary>
    public IReadOnlyList<PlacedNode> FallenBack { get; }

    /// <summary>
    /// Nodes that ONNX Runtime leaves on the CPU by choice, since what they read is there: computing sizes, mostly.
    /// </summary>
    public IReadOnlyList<PlacedNode> KeptOnCpu { get; }

    /// <summary>One line for the log.</summary>
    /// <param name="graph">Name of the graph's file.</param>
    /// <returns>The line, and whether it is a warning: a node fell back.</returns>
    public (string Text, bool IsWarning) Describe(string graph)
    {
        var kept = KeptOnCpu.Count == 0 ? string.Empty
            : $"; kept on the CPU by ONNX Runtime, where their inputs are: {Names(KeptOnCpu)}";
        if (FallenBack.Count > 0)
        {
            var fallen = $"{FallenBack.Count} of {Nodes.Count} nodes fall back to the CPU: {Names(FallenBack)}";
            return ($"{graph}: {fallen}{kept}", true);
        }

        var providers = string.Concat(Providers.Select(provider => $", {provider.Count} on {provider.Provider}"));
        return ($"{graph}: {Nodes.Count} nodes{providers}{kept}", false);
    }

    /// <summary>The nodes by name, operator by operator: <c>RoiAlign 'a', 'b'; TopK 'c'</c>.</summary>
    private static string Names(IEnumerable<PlacedNode> nodes) => string.Join(
        "; ",
        nodes.GroupBy(node => node.OperatorType)
            .Select(group => $"{group.Key} {string.Join(", ", group.Select(node => $"'{node.Name}'"))}"));
}
