using System.Globalization;
using System.Text;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Loading;

namespace Fpn.Tool.Reports;

/// <summary>Writes a report for people.</summary>
internal static class ReportText
{
    private const double Megabyte = 1e6;

    /// <summary>Formats a report.</summary>
    /// <returns>Several lines, without the end of the last.</returns>
    public static string Format(PackageReport report)
    {
        var text = new StringBuilder();
        var kind = $"{report.Layout}, {report.Convention}, {report.Labels.Count} labels";
        text.AddLine($"{report.Name}, version {report.Version}: {kind}");
        text.AddLine($"{report.Folder}");
        if (VersionFolders.FindModelName(report.Folder) is var name && name != report.Name)
        {
            text.AddLine($"It is served alone only: in a folder of models, its folder must not be called '{name}'.");
        }

        var runtime = report.Runtime;
        text.AddLine($"ONNX Runtime {runtime.OnnxRuntime} on {runtime.Provider} ({runtime.Device}): {runtime.Reason}");
        text.AddLine($"Loaded in {runtime.LoadSeconds:F2} s, {runtime.LoadedBytes / Megabyte:F0} MB of memory.");
        if (report.LargestInput is { } input)
        {
            text.AddLine($"Largest image: {input.Height}x{input.Width} {input.Type}, {input.Bytes / Megabyte:F1} MB.");
        }

        foreach (var graph in report.Graphs)
        {
            WriteGraph(text, graph);
        }

        return text.ToString().TrimEnd('\n');
    }

    private static void WriteGraph(StringBuilder text, GraphReport graph)
    {
        var opset = graph.Opset is { } version ? $", opset {version}" : string.Empty;
        text.AddLine($"");
        text.AddLine($"{graph.Role}: {graph.File}, {graph.Bytes / Megabyte:F1} MB{opset}");
        WritePorts(text, "inputs", graph.Inputs);
        WritePorts(text, "outputs", graph.Outputs);
        var providers = string.Concat(graph.NodesByProvider.Select(entry => $", {entry.Value} on {entry.Key}"));
        text.AddLine($"  {graph.NodeCount} nodes{providers}");
        WriteNodes(text, "fall back to the CPU:", graph.FallenBack);
        WriteNodes(text, "kept on the CPU by ONNX Runtime, where their inputs are:", graph.KeptOnCpu);
        WriteNodes(text, "nodes:", graph.Nodes ?? []);
    }

    private static void WritePorts(StringBuilder text, string title, IReadOnlyList<TensorPort> ports)
    {
        text.AddLine($"  {title}:");
        var (name, type) = (MeasureWidth(ports, port => port.Name), MeasureWidth(ports, port => port.Type));
        foreach (var port in ports)
        {
            var dimensions = string.Join(", ", port.Dimensions);
            text.AddLine($"    {port.Name.PadRight(name)}  {port.Type.PadRight(type)}  [{dimensions}]");
        }
    }

    private static void WriteNodes(StringBuilder text, string title, IReadOnlyList<NodeReport> nodes)
    {
        if (nodes.Count == 0)
        {
            return;
        }

        text.AddLine($"  {title}");
        var (provider, type) = (MeasureWidth(nodes, node => node.Provider), MeasureWidth(nodes, node => node.Operator));
        foreach (var node in nodes)
        {
            text.AddLine($"    {node.Provider.PadRight(provider)}  {node.Operator.PadRight(type)}  {node.Name}");
        }
    }

    private static int MeasureWidth<T>(IReadOnlyList<T> items, Func<T, string> text) =>
        items.Count == 0 ? 0 : items.Max(item => text(item).Length);

    private static void AddLine(this StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
