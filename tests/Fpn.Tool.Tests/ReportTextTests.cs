using Fpn.Models.Execution.Sessions;
using Fpn.Tool.Reports;

namespace Fpn.Tool.Tests;

/// <summary>The report for people, about an invented package on a GPU, which tests do not have.</summary>
public sealed class ReportTextTests
{
    [Fact]
    public void Format_NodesThatFellBack_AreNamed()
    {
        NodeReport[] fallen = [new("/RoiAlign", "RoiAlign", "cpu"), new("/top", "TopK", "cpu")];
        NodeReport[] kept = [new("/Gather", "Gather", "cpu")];
        var graph = new GraphReport(
            "head",
            "head.onnx",
            3_500_000,
            16,
            [new TensorPort("p2", "float16", ["N", "64", "?", "?"]), new TensorPort("rois_p2", "float32", ["R", "5"])],
            [new TensorPort("class_logits", "float16", ["R", "4"])],
            5,
            new Dictionary<string, int> { ["cpu"] = 3, ["cuda"] = 2 },
            fallen,
            kept,
            Nodes: null);
        var report = new PackageReport(
            "pets", "2", "/models/pets", "two-stage", "detectron2", null, null, ["cat", "dog"],
            new RuntimeReport("1.29.0", "cuda", "A GPU, CUDA device 0", "it can be used", 0.5, 123_000_000),
            new InputReport(800, 1344, "uint8", 3_225_600),
            [graph]);
        Assert.Equal(
            """
            pets, version 2: two-stage, detectron2, 2 labels
            /models/pets
            ONNX Runtime 1.29.0 on cuda (A GPU, CUDA device 0): it can be used
            Loaded in 0.50 s, 123 MB of memory.
            Largest image: 800x1344 uint8, 3.2 MB.

            head: head.onnx, 3.5 MB, opset 16
              inputs:
                p2       float16  [N, 64, ?, ?]
                rois_p2  float32  [R, 5]
              outputs:
                class_logits  float16  [R, 4]
              5 nodes, 3 on cpu, 2 on cuda
              fall back to the CPU:
                cpu  RoiAlign  /RoiAlign
                cpu  TopK      /top
              kept on the CPU by ONNX Runtime, where their inputs are:
                cpu  Gather  /Gather
            """,
            ReportText.Format(report));
    }
}
