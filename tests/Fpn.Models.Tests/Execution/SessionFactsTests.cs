using System.Runtime.InteropServices;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;
using Microsoft.ML.OnnxRuntime;
using OrtSessionOptions = Microsoft.ML.OnnxRuntime.SessionOptions;

namespace Fpn.Models.Tests.Execution;

/// <summary>What the C API says of real sessions, held against their files.</summary>
public sealed class SessionFactsTests
{
    private readonly ExecutionDevice _cpu =
        ExecutionDevice.Open(new ExecutionOptions { Provider = ExecutionProvider.Cpu }, new CudaOptions());

    [Theory]
    [InlineData("backbone", 16)]
    [InlineData("head", 16)]
    public void Graph_OfTheTrainedModel_HasAllItsNodesOnTheCpu(string role, int opset)
    {
        using var graph = Load(role);
        var written = OnnxEdit.Nodes(File.ReadAllBytes(graph.Path))
            .ToDictionary(node => node.Name, node => node.Operator);
        var placed = graph.Placement.Nodes;

        // Optimization folds constants and finds that three shapes are computed twice; what is left keeps its name.
        Assert.NotEmpty(placed);
        Assert.All(placed, node => Assert.Equal(written[node.Name], node.OperatorType));
        Assert.All(placed, node => Assert.Equal("CPUExecutionProvider", node.Provider));
        Assert.Equal(placed.Count, placed.Select(node => node.Name).Distinct().Count());
        var gone = written.Keys.Except(placed.Select(node => node.Name)).Select(name => written[name]).Distinct();
        Assert.Subset(new HashSet<string> { "Constant", "Shape", "Cast" }, gone.ToHashSet());
        Assert.Equal([("cpu", placed.Count)], graph.Placement.Providers);
        Assert.Equal(opset, graph.Opset);
    }

    [Fact]
    public void Graph_Ports_AreThoseOfTheFile()
    {
        using var graph = Load("head");
        Assert.Equal(
            ["p2", "p3", "p4", "p5", "rois_p2", "rois_p3", "rois_p4", "rois_p5"],
            graph.Inputs.Select(input => input.Name));
        var logits = graph.Outputs.First();
        Assert.Equal(
            ("class_logits", "float32", "R, 4"), (logits.Name, logits.Type, string.Join(", ", logits.Dimensions)));
    }

    /// <summary>
    /// Reading changes nothing: what is returned belongs to the session and is there the second time.
    /// </summary>
    [Fact]
    public void ReadNodes_Twice_IsTheSame()
    {
        using var session = Open(record: true);
        var first = SessionFacts.ReadNodes(session);
        Assert.NotEmpty(first);
        Assert.Equal(first, SessionFacts.ReadNodes(session));
    }

    [Fact]
    public void ReadNodes_SessionThatDidNotRecord_SaysWhy()
    {
        using var session = Open(record: false);
        var exception = Assert.Throws<RuntimeMismatchException>(() => SessionFacts.ReadNodes(session));
        Assert.StartsWith(
            "ONNX Runtime does not say where its nodes run: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(SessionFacts.RecordPlacement, exception.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Places in the C API's table by its header; they never change, since new functions come at the end.
    /// </summary>
    [Theory]
    [InlineData(nameof(OrtApi.GetErrorMessage), 2)]
    [InlineData(nameof(OrtApi.ReleaseStatus), 93)]
    [InlineData(nameof(OrtApi.GetModelEditorApi), 291)]
    [InlineData(nameof(OrtApi.Session_GetEpGraphAssignmentInfo), 407)]
    [InlineData(nameof(OrtApi.EpAssignedSubgraph_GetEpName), 408)]
    [InlineData(nameof(OrtApi.EpAssignedSubgraph_GetNodes), 409)]
    [InlineData(nameof(OrtApi.EpAssignedNode_GetName), 410)]
    [InlineData(nameof(OrtApi.EpAssignedNode_GetDomain), 411)]
    [InlineData(nameof(OrtApi.EpAssignedNode_GetOperatorType), 412)]
    public void OrtApi_Function_IsWhereTheHeaderHasIt(string function, int place) =>
        Assert.Equal(place, (int)Marshal.OffsetOf<OrtApi>(function) / nint.Size);

    private OnnxGraph Load(string role) =>
        OnnxGraph.Load(ModelManifestReader.ReadAlone(Path.Combine(Checkout.Models, "blood-cells")).Files[role], _cpu);

    private static InferenceSession Open(bool record)
    {
        using var options = new OrtSessionOptions();
        options.DisablePerSessionThreads();
        if (record)
        {
            options.AddSessionConfigEntry(SessionFacts.RecordPlacement, "1");
        }

        return new InferenceSession(ModelFolder.OriginalFile("head.onnx"), options);
    }
}
