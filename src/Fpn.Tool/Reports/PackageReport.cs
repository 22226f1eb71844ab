using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Tool.Reports;

/// <summary>What <c>inspect</c> reports about a package. Its JSON has these names in camel case.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Version">Its version.</param>
/// <param name="Folder">Full path of the package.</param>
/// <param name="Layout"><c>two-stage</c> or <c>end-to-end</c>.</param>
/// <param name="Convention"><c>torchvision</c> or <c>detectron2</c>.</param>
/// <param name="Description">One sentence for people; null where the package has none.</param>
/// <param name="License">Licence of the weights; null where the package names none.</param>
/// <param name="Labels">Names of the classes.</param>
/// <param name="Runtime">What it was loaded on.</param>
/// <param name="LargestInput">The tensor of the largest image; null where the graph takes images of any size.</param>
/// <param name="Graphs">Its graphs, in the order in which they run.</param>
internal sealed record PackageReport(
    string Name,
    string Version,
    string Folder,
    string Layout,
    string Convention,
    string? Description,
    string? License,
    IReadOnlyList<string> Labels,
    RuntimeReport Runtime,
    InputReport? LargestInput,
    IReadOnlyList<GraphReport> Graphs)
{
    /// <summary>Describes a loaded package.</summary>
    /// <param name="detector">The package, loaded.</param>
    /// <param name="folder">Its folder.</param>
    /// <param name="runtime">What it was loaded on.</param>
    /// <param name="withNodes">Whether every node is listed.</param>
    public static PackageReport Create(IDetector detector, string folder, RuntimeReport runtime, bool withNodes)
    {
        var contract = detector.Contract;
        return new PackageReport(
            contract.Name,
            contract.Version,
            folder,
            contract.Layout == ModelLayout.TwoStage ? "two-stage" : "end-to-end",
            contract.Convention.ToString().ToLowerInvariant(),
            contract.Description,
            contract.License,
            contract.Labels,
            runtime,
            contract.EndToEnd is { ResizeInside: true } ? null : InputReport.Create(contract.Input, detector.Graphs[0]),
            [.. detector.Graphs.Select(graph => GraphReport.Create(FindRole(contract, graph), graph, withNodes))]);
    }

    private static string FindRole(ModelContract contract, OnnxGraph graph) =>
        contract.Files.First(file => file.Value.Path == graph.Path).Key;
}

/// <summary>What the package was loaded on.</summary>
/// <param name="OnnxRuntime">Version of ONNX Runtime.</param>
/// <param name="Provider">The execution provider: <c>cpu</c> or <c>cuda</c>.</param>
/// <param name="Device">The GPU, or the CPU with its threads.</param>
/// <param name="Reason">Why this one.</param>
/// <param name="LoadSeconds">Time for reading, checking and loading the graphs, and for their first run.</param>
/// <param name="LoadedBytes">
/// Memory that this added to the process, by the operating system's count and without the GPU's.
/// </param>
internal sealed record RuntimeReport(
    string OnnxRuntime, string Provider, string Device, string Reason, double LoadSeconds, long LoadedBytes);

/// <summary>The tensor that the largest image becomes.</summary>
/// <param name="Height">Rows, padding included.</param>
/// <param name="Width">Columns, padding included; for an upright image the two change places.</param>
/// <param name="Type">Element type of the graph's input.</param>
/// <param name="Bytes">Bytes of one image in that type.</param>
internal sealed record InputReport(int Height, int Width, string Type, long Bytes)
{
    private const int Channels = 3;

    /// <summary>Computes the tensor from the manifest's sizes and the first graph's input.</summary>
    public static InputReport Create(InputOptions input, OnnxGraph graph)
    {
        var size = new ResizeTransform(input).PaddedSize(new ImageSize(input.MinSize, input.MaxSize));
        // Some graphs also take the sizes of the images, which are a list.
        var type = graph.Inputs.First(port => port.Dimensions.Count >= Channels).Type;
        var bytes = type switch { "uint8" => 1, "float16" => 2, _ => 4 };
        return new InputReport(size.Height, size.Width, type, size.Area * Channels * bytes);
    }
}

/// <summary>One graph of a package.</summary>
/// <param name="Role"><c>backbone</c>, <c>head</c> or <c>model</c>.</param>
/// <param name="File">Name of its file.</param>
/// <param name="Bytes">Size of its file: mostly weights.</param>
/// <param name="Opset">Version of ONNX's operators; null where it uses none.</param>
/// <param name="Inputs">Tensors that it takes.</param>
/// <param name="Outputs">Tensors that it gives.</param>
/// <param name="NodeCount">Nodes that run.</param>
/// <param name="NodesByProvider">How many each execution provider runs, most first.</param>
/// <param name="FallenBack">Nodes that run on the CPU since the GPU's provider cannot run them.</param>
/// <param name="KeptOnCpu">Nodes that ONNX Runtime leaves on the CPU by choice, since their inputs are there.</param>
/// <param name="Nodes">Every node; null unless asked for.</param>
internal sealed record GraphReport(
    string Role,
    string File,
    long Bytes,
    int? Opset,
    IReadOnlyList<TensorPort> Inputs,
    IReadOnlyList<TensorPort> Outputs,
    int NodeCount,
    IReadOnlyDictionary<string, int> NodesByProvider,
    IReadOnlyList<NodeReport> FallenBack,
    IReadOnlyList<NodeReport> KeptOnCpu,
    IReadOnlyList<NodeReport>? Nodes)
{
    /// <summary>Describes a loaded graph.</summary>
    public static GraphReport Create(string role, OnnxGraph graph, bool withNodes)
    {
        var placement = graph.Placement;
        return new GraphReport(
            role,
            Path.GetFileName(graph.Path),
            new FileInfo(graph.Path).Length,
            graph.Opset,
            [.. graph.Inputs],
            [.. graph.Outputs],
            placement.Nodes.Count,
            placement.Providers.ToDictionary(provider => provider.Provider, provider => provider.Count),
            Describe(placement.FallenBack),
            Describe(placement.KeptOnCpu),
            withNodes ? Describe(placement.Nodes) : null);
    }

    private static NodeReport[] Describe(IEnumerable<PlacedNode> nodes) =>
        [.. nodes.Select(node => new NodeReport(node.Name, node.OperatorType, node.ProviderName))];
}

/// <summary>One node.</summary>
/// <param name="Name">Its name; may be empty.</param>
/// <param name="Operator">What it computes.</param>
/// <param name="Provider">What runs it: <c>cpu</c>, <c>cuda</c>.</param>
internal sealed record NodeReport(string Name, string Operator, string Provider);
