using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Models.TwoStage;

/// <summary>The first run of two graphs: wrong shapes stop the start, not a request.</summary>
/// <remarks>Shape letters are those of <see cref="GraphContract"/>.</remarks>
internal static class GraphProbe
{
    /// <summary>Runs both graphs on one blank image, with one RoI for each pooled level, and checks all
    /// shapes.</summary>
    /// <param name="graphs">The graphs.</param>
    /// <param name="model">What they must fit.</param>
    /// <returns>The contract of the graphs, strides included.</returns>
    /// <exception cref="ModelPackageException">The graphs fail or do not fit the manifest.</exception>
    public static GraphContract Run(TwoStageGraphs graphs, ModelContract model)
    {
        GraphCheck.RequireDeclared(graphs);
        try
        {
            return RunBoth(graphs, GraphCheck.ProbeSide(model), model.Anchors.AspectRatios.Count);
        }
        catch (ModelFailureException exception)
        {
            var folder = Path.GetDirectoryName(graphs.Backbone.Path);
            throw new ModelPackageException(
                $"{folder}: the model failed on its first run: {exception.Message}", exception);
        }
    }

    private static GraphContract RunBoth(TwoStageGraphs graphs, int side, int anchorsPerSize)
    {
        var contract = graphs.Contract;
        using var slot = new GraphSlot(graphs);
        using var images = ImageBatch.Rent(1, new ImageSize(side, side), contract.Pixels, graphs.Device.InputMemory);
        images.Clear(0);
        using var pyramid = slot.RunBackbone(images, []);
        long[][] shapes =
            [.. contract.BackboneOutputs.Select((_, output) => pyramid[output].GetTensorTypeAndShape().Shape)];
        RequireAnchors(graphs, shapes, anchorsPerSize);
        GraphCheck.RequireGrids(graphs, side, shapes);
        RequireHead(graphs, slot, pyramid, side);
        return contract with
        {
            FirstPooledStrideLog2 = StrideLog2(0),
            LastPooledStrideLog2 = StrideLog2(contract.PooledLevels.Count - 1),
        };

        int StrideLog2(int feature) => (int)Math.Round(Math.Log2(side / (double)shapes[feature][2]));
    }

    private static void RequireAnchors(TwoStageGraphs graphs, long[][] shapes, int anchorsPerSize)
    {
        var contract = graphs.Contract;
        for (var level = 0; level < contract.Levels.Count; level++)
        {
            var anchors = contract.Levels[level].AnchorSizes.Count * anchorsPerSize;
            var keys = $"levels[{level}].anchorSizes' and 'aspectRatios";
            RequireBackbone(contract.Objectness(level), anchors);
            RequireBackbone(contract.Deltas(level), 4 * anchors);

            void RequireBackbone(int output, int channels) => RequireShape(
                graphs.Backbone,
                contract.BackboneOutputs[output],
                shapes[output],
                [1, channels, shapes[output][2], shapes[output][3]],
                keys);
        }
    }

    private static void RequireHead(TwoStageGraphs graphs, GraphSlot slot, PyramidOutputs pyramid, int side)
    {
        var contract = graphs.Contract;
        var pooled = contract.PooledLevels.Count;
        var rois = new float[pooled * 5];
        var counts = new int[pooled];
        Array.Fill(counts, 1);
        for (var level = 0; level < pooled; level++)
        {
            rois[(level * 5) + 3] = rois[(level * 5) + 4] = side;
        }

        using var head = slot.RunHead(pyramid, rois, counts, outputs: null);
        RequireShape(
            graphs.Head,
            GraphContract.ClassLogitsOutput,
            head.ClassLogitsShape,
            [pooled, contract.ClassLogits.Columns],
            "labels");
        RequireShape(
            graphs.Head,
            GraphContract.BoxDeltasOutput,
            head.BoxDeltasShape,
            [pooled, contract.BoxDeltas.Columns],
            "labels' and 'detection.boxDeltas");
        GraphCheck.RequireRowOrder(
            graphs, rois, head, (some, on) => slot.RunHead(pyramid, some, on, outputs: null));
    }

    private static void RequireShape(OnnxGraph graph, string output, long[] actual, long[] expected, string keys)
    {
        if (!actual.AsSpan().SequenceEqual(expected))
        {
            throw new ModelPackageException(
                $"{graph.Path}: output '{output}' has shape [{string.Join(", ", actual)}] where '{keys}' of model.json "
                + $"promise [{string.Join(", ", expected)}].");
        }
    }
}
