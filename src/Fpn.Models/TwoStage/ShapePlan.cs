using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;

namespace Fpn.Models.TwoStage;

/// <summary>The shapes that two graphs run in, and what the backbone's outputs look like in them. Immutable.</summary>
internal sealed class ShapePlan
{
    private readonly GraphContract _contract;
    private readonly Dictionary<ImageSize, long[][]> _outputs;

    private ShapePlan(GraphContract contract, FixedShapes shapes, Dictionary<ImageSize, long[][]> outputs)
    {
        _contract = contract;
        Shapes = shapes;
        _outputs = outputs;
    }

    /// <summary>The shapes.</summary>
    public FixedShapes Shapes { get; }

    /// <summary>Learns the shapes of the backbone's outputs: runs it once in each bucket.</summary>
    /// <param name="graphs">Without a plan of their own, which would need the memory that this one is about.</param>
    /// <param name="shapes">The shapes.</param>
    /// <exception cref="ModelFailureException">The backbone failed.</exception>
    public static ShapePlan Learn(TwoStageGraphs graphs, FixedShapes shapes)
    {
        var outputs = new Dictionary<ImageSize, long[][]>();
        using var slot = new GraphSlot(graphs);
        foreach (var bucket in shapes.Buckets)
        {
            using var images = ImageBatch.Rent(1, bucket, graphs.Contract.Pixels, graphs.Device.InputMemory);
            images.Clear(0);
            using var pyramid = slot.RunBackbone(images, []);
            outputs[bucket] =
                [.. graphs.Contract.BackboneOutputs.Select((_, index) => pyramid[index].GetTensorTypeAndShape().Shape)];
        }

        return new ShapePlan(graphs.Contract, shapes, outputs);
    }

    /// <summary>Shapes of the backbone's outputs for a batch; null when no memory is set apart for it.</summary>
    public IReadOnlyList<long[]>? OutputsFor(ImageSize bucket, int images) =>
        images <= Shapes.BatchSizes[^1] && _outputs.TryGetValue(bucket, out var shapes)
            ? [.. shapes.Select(shape => (long[])[images, .. shape[1..]])]
            : null;

    /// <summary>Bytes of an output of the backbone in the largest of the shapes.</summary>
    public long LargestOutput(int output)
    {
        var elements = _outputs.Values.Max(shapes => shapes[output].Aggregate(1L, (product, side) => product * side));
        return elements * Shapes.BatchSizes[^1] * FloatTensor.BytesPerValue(_contract.OutputType(output));
    }
}
