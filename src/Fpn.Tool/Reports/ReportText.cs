using System.Globalization;
using System.Text;
using Fpn.Models.Execution.Sessions;

namespace Fpn.Tool.Reports;

/// <summary>A report for people.</summary>
internal static class ReportText
{
    private const double Megabyte = 1e6;

    /// <summary>Writes it.</summary>
    /// <returns>Lines, without the end of the last.</returns>
    public static string Of(PackageReport report)
    {
        var text = new StringBuilder();
        var kind = $"{report.Layout}, {report.Convention}, {report.Labels.Count} labels";
        text.Line($"{report.Name}, version {report.Version}: {kind}");
        text.Line($"{report.Folder}");
        var runtime = report.Runtime;
        text.Line($"ONNX Runtime {runtime.OnnxRuntime} on {runtime.Provider} ({runtime.Device}): {runtime.Reason}");
        text.Line($"Loaded in {runtime.LoadSeconds:F2} s, {runtime.LoadedBytes / Megabyte:F0} MB of memory.");
        if (report.LargestInput is { } input)
        {
            text.Line($"Largest image: {input.Height}x{input.Width} {input.Type}, {input.Bytes / Megabyte:F1} MB.");
        }

        foreach (var graph in report.Graphs)
        {
            Write(text, graph);
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void Write(StringBuilder text, GraphReport graph)
    {
        var opset = graph.Opset is { } version ? $", opset {version}" : string.Empty;
        text.Line($"");
        text.Line($"{graph.Role}: {graph.File}, {graph.Bytes / Megabyte:F1} MB{opset}");
        WritePorts(text, "inputs", graph.Inputs);
        WritePorts(text, "outputs", graph.Outputs);
        var providers = string.Concat(graph.NodesByProvider.Select(entry => $", {entry.Value} on {entry.Key}"));
        text.Line($"  {graph.NodeCount} nodes{providers}");
        WriteNodes(text, "fall back to the CPU:", graph.FallenBack);
        WriteNodes(text, "kept on the CPU by ONNX Runtime, where their inputs are:", graph.KeptOnCpu);
        WriteNodes(text, "nodes:", graph.Nodes ?? []);
    }

    private static void WritePorts(StringBuilder text, string title, IReadOnlyList<TensorPort> ports)
    {
        text.Line($"  {title}:");
        var (name, type) = (Width(ports, port => port.Name), Width(ports, port => port.Type));
        foreach (var port in ports)
        {
            var dimensions = string.Join(", ", port.Dimensions);
            text.Line($"    {port.Name.PadRight(name)}  {port.Type.PadRight(type)}  [{dimensions}]");
        }
    }

    private static void WriteNodes(StringBuilder text, string title, IReadOnlyList<NodeReport> nodes)
    {
        if (nodes.Count == 0)
        {
            return;
        }

        text.Line($"  {title}");
        var (provider, type) = (Width(nodes, node => node.Provider), Width(nodes, node => node.Operator));
        foreach (var node in nodes)
        {
            text.Line($"    {node.Provider.PadRight(provider)}  {node.Operator.PadRight(type)}  {node.Name}");
        }
    }

    private static int Width<T>(IReadOnlyList<T> items, Func<T, string> text) =>
        items.Count == 0 ? 0 : items.Max(item => text(item).Length);

    private static void Line(this StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
