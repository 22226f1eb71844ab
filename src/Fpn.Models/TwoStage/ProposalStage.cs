using System.Collections.Concurrent;
using Fpn.Detection.Anchors;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Models.TwoStage;

/// <summary>Chooses the proposals of each image of a batch from what the backbone gave. Thread-safe.</summary>
/// <param name="contract">The model.</param>
/// <param name="graphs">Its graphs.</param>
internal sealed class ProposalStage(ModelContract contract, GraphContract graphs)
{
    private readonly AnchorGenerator _anchors = new(contract.Anchors);
    private readonly ConcurrentBag<ProposalSelector> _selectors = [];

    /// <summary>Chooses the proposals of all images, several side by side. Images whose regions are given get
    /// none.</summary>
    /// <param name="pyramid">The backbone's outputs.</param>
    /// <param name="batch">The images.</param>
    /// <param name="workspace">Receives the proposals.</param>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    public void Select(PyramidOutputs pyramid, PreparedBatch batch, TwoStageWorkspace workspace)
    {
        workspace.Begin(batch);
        SideBySide.ForEach(
            batch.Geometries.Count, image => Select(pyramid, batch, image, workspace.Proposals[image]));
    }

    private void Select(PyramidOutputs pyramid, PreparedBatch batch, int image, ProposalList proposals)
    {
        var task = batch.TaskFor(image);
        if (task is RegionTask)
        {
            return;
        }

        var options = task is ProposalTask asked ? asked.Options : contract.Proposals;

        // A selector holds its numbers: one for numbers of a request's own serves that request only.
        var isOwn = options == contract.Proposals;
        if (!isOwn || !_selectors.TryTake(out var selector))
        {
            selector = new ProposalSelector(options, _anchors);
        }

        var geometry = batch.Geometries[image];
        selector.Begin(geometry.Resized);
        for (var level = 0; level < graphs.Levels.Count; level++)
        {
            using var objectness = Read(pyramid, graphs.Objectness(level), image, batch.Tensor.Count);
            using var deltas = Read(pyramid, graphs.Deltas(level), image, batch.Tensor.Count);
            var grid = new ImageSize((int)objectness.Shape[2], (int)objectness.Shape[3]);
            var own = OwnGrid(grid, batch.Tensor.Size, geometry.Padded);
            var (strideY, strideX) = _anchors.Strides(level, geometry.Padded, own);
            selector.AddLevel(level, objectness.Values, deltas.Values, grid, strideY, strideX);
        }

        selector.Complete(proposals);
        if (isOwn)
        {
            // Not after a failure, when its contents are undefined.
            _selectors.Add(selector);
        }
    }

    private FloatTensor Read(PyramidOutputs pyramid, int output, int image, int images) =>
        new(pyramid[output], graphs.BackboneOutputs[output], image, images);

    /// <summary>The grid that an image would have had alone: derived strides come from its own padding, not from the
    /// batch's.</summary>
    private static ImageSize OwnGrid(ImageSize grid, ImageSize batch, ImageSize own)
    {
        return new ImageSize(Own(grid.Height, batch.Height, own.Height), Own(grid.Width, batch.Width, own.Width));

        static int Own(int cells, int batch, int own)
        {
            // A level is made by halvings that round up.
            var halvings = (int)Math.Round(Math.Log2((double)batch / cells));
            return batch == own ? cells : (int)(((long)own + (1L << halvings) - 1) >> halvings);
        }
    }
}
