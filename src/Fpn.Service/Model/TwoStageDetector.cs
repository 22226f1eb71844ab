using System.Collections.Concurrent;
using System.Diagnostics;
using Fpn.Detection.Anchors;
using Fpn.Detection.Imaging;
using Fpn.Detection.RoiHeads;
using Fpn.Service.Imaging;
using Fpn.Service.Model.Execution;
using Microsoft.ML.OnnxRuntime;

namespace Fpn.Service.Model;

/// <summary>
/// A model in two graphs: <c>backbone.onnx</c> gives features, objectness and deltas; proposals are chosen here;
/// <c>head.onnx</c> pools and judges them.
/// </summary>
/// <remarks>
/// Features go from one graph to the other as they are, without a copy. Images of a batch share the runs of the
/// graphs only: proposals and detections are chosen for each on its own.
/// </remarks>
internal sealed class TwoStageDetector : IDetector
{
    private readonly TwoStageGraphs _graphs;
    private readonly Preprocessor _preprocessor;
    private readonly AnchorGenerator _anchors;
    private readonly LevelAssigner _levels;
    private readonly ConcurrentBag<TwoStageWorkspace> _workspaces = [];

    /// <summary>Loads both graphs and tries them once.</summary>
    /// <exception cref="Configuration.SettingsException">A graph cannot be loaded or does not fit the manifest.</exception>
    public TwoStageDetector(ModelContract contract)
    {
        Contract = contract;
        _anchors = new AnchorGenerator(contract.Anchors);
        _graphs = new TwoStageGraphs(contract);
        _preprocessor = new Preprocessor(contract.Input, _graphs.ImageType);
        _levels = new LevelAssigner(contract.LevelAssignment, _graphs.FirstPooledStrideLog2, _graphs.LastPooledStrideLog2);
    }

    /// <inheritdoc/>
    public ModelContract Contract { get; }

    /// <inheritdoc/>
    public int LargestBatch => int.MaxValue;

    /// <inheritdoc/>
    public ExecutionProvider Provider => OnnxGraph.Provider;

    /// <inheritdoc/>
    public PixelType ImageType => _graphs.ImageType;

    /// <inheritdoc/>
    public ImageGeometry Measure(ImageSize original) => _preprocessor.Measure(original);

    /// <inheritdoc/>
    public PreparedBatch Prepare(ImageSize padded, IReadOnlyList<DecodedImage> images) => _preprocessor.Prepare(padded, images);

    /// <inheritdoc/>
    public InferredBatch Infer(PreparedBatch batch)
    {
        if (!_workspaces.TryTake(out var workspace))
        {
            workspace = new TwoStageWorkspace(Contract, _anchors);
        }

        try
        {
            var started = Stopwatch.GetTimestamp();
            using var features = _graphs.RunBackbone(batch.Tensor);
            var featured = Stopwatch.GetTimestamp();
            SelectProposals(features, batch, workspace);
            workspace.ArrangeRois(_levels, _graphs.PooledLevels.Count);
            var proposed = Stopwatch.GetTimestamp();
            var outputs = workspace.RoiCount == 0 ? null : _graphs.RunHead(features, workspace.Rois, workspace.RoisPerLevel);
            return new TwoStageBatch(this, batch.Geometries, workspace, outputs)
            {
                Times = new InferenceTimes(
                    Stopwatch.GetElapsedTime(started, featured),
                    Stopwatch.GetElapsedTime(featured, proposed),
                    Stopwatch.GetElapsedTime(proposed)),
            };
        }
        catch
        {
            _workspaces.Add(workspace);
            throw;
        }
    }

    /// <summary>Takes back what <see cref="Infer"/> lent to a batch.</summary>
    public void Return(TwoStageWorkspace workspace) => _workspaces.Add(workspace);

    /// <summary>Name of a pooled level by its place among the pooled levels.</summary>
    public string PooledLevelName(int pooledLevel) => _graphs.Levels[_graphs.PooledLevels[pooledLevel]].Name;

    /// <inheritdoc/>
    public void Dispose() => _graphs.Dispose();

    private void SelectProposals(IReadOnlyList<OrtValue> outputs, PreparedBatch batch, TwoStageWorkspace workspace)
    {
        var images = batch.Geometries.Count;
        workspace.Reset(images);
        for (var image = 0; image < images; image++)
        {
            var geometry = batch.Geometries[image];
            var selector = workspace.ProposalSelector;
            selector.Begin(geometry.Resized);
            for (var level = 0; level < _graphs.Levels.Count; level++)
            {
                var (objectnessName, objectnessTensor) = _graphs.Objectness(outputs, level);
                var (deltasName, deltasTensor) = _graphs.Deltas(outputs, level);
                using var objectness = new TensorReader(objectnessTensor, objectnessName, image, images);
                using var deltas = new TensorReader(deltasTensor, deltasName, image, images);
                var grid = new ImageSize((int)objectness.Shape[2], (int)objectness.Shape[3]);
                var (strideY, strideX) = _anchors.Strides(level, geometry.Padded, OwnGrid(grid, batch.Tensor.Size, geometry.Padded));
                selector.AddLevel(
                    level,
                    objectness.Values,
                    deltas.Values,
                    grid,
                    strideY,
                    strideX);
            }

            selector.Complete(workspace.Proposals[image]);
        }
    }

    /// <summary>The grid that an image would have had alone: derived strides come from its own padding, not from the batch's.</summary>
    private static ImageSize OwnGrid(ImageSize grid, ImageSize batch, ImageSize own)
    {
        return new ImageSize(Own(grid.Height, batch.Height, own.Height), Own(grid.Width, batch.Width, own.Width));

        static int Own(int cells, int batch, int own)
        {
            if (batch == own)
            {
                return cells;
            }

            // A level is made by halvings that round up.
            var halvings = (int)Math.Round(Math.Log2((double)batch / cells));
            return (int)(((long)own + (1L << halvings) - 1) >> halvings);
        }
    }
}
