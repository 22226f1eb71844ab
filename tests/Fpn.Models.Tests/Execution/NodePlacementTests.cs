using Fpn.Models.Execution.Sessions;
using Fpn.Models.Options;

namespace Fpn.Models.Tests.Execution;

/// <summary>What counts as a fallback, and what the log says of it.</summary>
public sealed class NodePlacementTests
{
    private const string Cpu = "CPUExecutionProvider";
    private const string Cuda = "CUDAExecutionProvider";

    [Fact]
    public void Describe_AllOnTheCpuThatIsTheProvider_IsNoFallback()
    {
        var placement = new NodePlacement([new("a", "Conv", Cpu), new("b", "RoiAlign", Cpu)], ExecutionProvider.Cpu);
        Assert.Equal(("head.onnx: 2 nodes, 2 on cpu", false), placement.Describe("head.onnx"));
        Assert.Empty(placement.FallenBack);
        Assert.Empty(placement.KeptOnCpu);
    }

    /// <summary>A graph of constants only.</summary>
    [Fact]
    public void Describe_NoNodes_IsNoWarning() => Assert.Equal(
        ("model.onnx: 0 nodes", false), new NodePlacement([], ExecutionProvider.Cuda).Describe("model.onnx"));

    [Fact]
    public void Describe_AllOnTheGpu_IsNoWarning()
    {
        var placement = new NodePlacement([new("a", "Conv", Cuda), new("b", "Relu", Cuda)], ExecutionProvider.Cuda);
        Assert.Equal(("head.onnx: 2 nodes, 2 on cuda", false), placement.Describe("head.onnx"));
    }

    [Fact]
    public void Describe_NodesThatComputeOnTheCpu_WarnsAndNamesThem()
    {
        var placement = new NodePlacement(
            [
                new("/RoiAlign", "RoiAlign", Cpu), new("/conv", "Conv", Cuda), new("/top", "TopK", Cpu),
                new("/RoiAlign_1", "RoiAlign", Cpu), new("/Shape", "Shape", Cuda),
            ],
            ExecutionProvider.Cuda);
        Assert.Equal(
            ("m/head.onnx: 3 of 5 nodes fall back to the CPU: RoiAlign '/RoiAlign', '/RoiAlign_1'; TopK '/top'", true),
            placement.Describe("m/head.onnx"));
        Assert.Equal(["/RoiAlign", "/top", "/RoiAlign_1"], placement.FallenBack.Select(node => node.Name));
    }

    [Fact]
    public void Describe_SizesComputedOnTheCpu_NamesThemWithoutAWarning()
    {
        var placement = new NodePlacement(
            [
                new("/conv", "Conv", Cuda), new("/Shape", "Shape", Cuda), new("/Gather", "Gather", Cpu),
                new("/Gather_1", "Gather", Cpu), new("/Concat", "Concat", Cpu), new("/Resize", "Resize", Cuda),
            ],
            ExecutionProvider.Cuda);
        var expected = "backbone.onnx: 6 nodes, 3 on cpu, 3 on cuda; "
            + "kept on the CPU by ONNX Runtime, where their inputs are: "
            + "Gather '/Gather', '/Gather_1'; Concat '/Concat'";
        Assert.Equal((expected, false), placement.Describe("backbone.onnx"));
        Assert.Empty(placement.FallenBack);
    }

    [Fact]
    public void Describe_BothKinds_NamesThemApart()
    {
        var placement = new NodePlacement(
            [new("/Concat", "Concat", Cpu), new("/RoiAlign", "RoiAlign", Cpu), new("/fc", "Gemm", Cuda)],
            ExecutionProvider.Cuda);
        var expected = "head.onnx: 1 of 3 nodes fall back to the CPU: RoiAlign '/RoiAlign'; "
            + "kept on the CPU by ONNX Runtime, where their inputs are: Concat '/Concat'";
        Assert.Equal((expected, true), placement.Describe("head.onnx"));
    }

    /// <summary>A domain's operator is not ONNX's operator of the same name, and who knows what it does.</summary>
    [Fact]
    public void FallenBack_OperatorOfAnotherDomain_IsOne() =>
        Assert.Single(new NodePlacement([new("a", "com.example.Gather", Cpu)], ExecutionProvider.Cuda).FallenBack);

    [Fact]
    public void Providers_OfAMixedGraph_AreCountedMostFirst()
    {
        var placement = new NodePlacement(
            [
                new("a", "Conv", "TensorrtExecutionProvider"), new("b", "Conv", Cuda), new("c", "Conv", Cuda),
                new("d", "Conv", "mine"),
            ],
            ExecutionProvider.Cuda);
        Assert.Equal([("cuda", 2), ("mine", 1), ("tensorrt", 1)], placement.Providers);
        Assert.Empty(placement.FallenBack);
    }
}
