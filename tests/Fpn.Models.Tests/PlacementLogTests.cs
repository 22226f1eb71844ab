using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>What runs the graphs' nodes is in the log of a start.</summary>
public sealed class PlacementLogTests
{
    [Fact]
    public void Start_TrainedModel_LogsALineForEachGraph()
    {
        using var service = new RunningService(("Fpn:Batching:MaxBatchSize", "1"));
        var lines = service.Log.All.Where(line => line.Contains(".onnx: ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, lines.Length);
        Assert.StartsWith("Information ", lines[0], StringComparison.Ordinal);
        Assert.Contains("blood-cells/backbone.onnx: 108 nodes, 108 on cpu", lines[0], StringComparison.Ordinal);
        Assert.Contains("blood-cells/head.onnx: 29 nodes, 29 on cpu", lines[1], StringComparison.Ordinal);
    }
}
