using System.Collections.Concurrent;
using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;

namespace Fpn.Models.TwoStage;

/// <summary>
/// A model in two graphs: <c>backbone.onnx</c> gives features, objectness and deltas; proposals are chosen here;
/// <c>head.onnx</c> pools and judges them.
/// </summary>
/// <remarks>
/// Features go from one graph to the other where they are, on a GPU as well, without a copy. Images of a batch share
/// the runs of the graphs only: proposals and detections are chosen for each on its own, and each may be asked
/// something else. The head runs for those that need it.
/// </remarks>
internal sealed class TwoStageDetector : IDetector
{
    private readonly TwoStageGraphs _graphs;
    private readonly Preprocessor _preprocessor;
    private readonly ProposalStage _proposals;
    private readonly LevelAssigner _levels;
    private readonly ConcurrentBag<GraphSlot> _slots = [];
    private readonly ConcurrentBag<TwoStageWorkspace> _workspaces = [];
    private volatile bool _disposed;

    /// <summary>Loads both graphs and tries them once.</summary>
    /// <param name="contract">The model.</param>
    /// <param name="device">What it runs on.</param>
    /// <exception cref="ModelPackageException">A graph cannot be loaded or does not fit the manifest.</exception>
    public TwoStageDetector(ModelContract contract, ExecutionDevice device)
    {
        Contract = contract;
        _graphs = new TwoStageGraphs(contract, device);
        _proposals = new ProposalStage(contract, _graphs.Contract);
        _preprocessor = new Preprocessor(contract.Input, _graphs.Contract.Pixels, device.InputMemory);
        _levels = new LevelAssigner(
            contract.LevelAssignment,
            _graphs.Contract.FirstPooledStrideLog2,
            _graphs.Contract.LastPooledStrideLog2);
    }

    /// <inheritdoc/>
    public ModelContract Contract { get; }

    /// <inheritdoc/>
    public int LargestBatch => int.MaxValue;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> UnwarmedShapes => new Dictionary<string, long>
    {
        ["backbone"] = _graphs.BackboneShapes.Unwarmed,
        ["head"] = _graphs.HeadShapes.Unwarmed,
    };

    /// <inheritdoc/>
    public IReadOnlyList<OnnxGraph> Graphs => [_graphs.Backbone, _graphs.Head];

    /// <inheritdoc/>
    public ImageGeometry Measure(ImageSize original, int? minSize = null) => _preprocessor.Measure(original, minSize);

    /// <inheritdoc/>
    public PreparedBatch Prepare(ImageSize padded, IReadOnlyList<MeasuredImage> images) =>
        _preprocessor.Prepare(padded, images, _graphs.Plan?.Shapes.BatchSizeFor(images.Count, padded) ?? images.Count);

    /// <inheritdoc/>
    public void WarmUp(FixedShapes shapes, Action<int> progress)
    {
        // Those from before have no memory for these shapes; the new ones are made now, so that no request waits for
        // memory.
        DisposeAll(_slots);
        DisposeAll(_workspaces);

        // Measuring tried batches that may be far larger than what was chosen.
        _graphs.Device.FreeIdleInputMemory();
        _graphs.BackboneShapes.BeginWarmUp();
        _graphs.HeadShapes.BeginWarmUp();
        _graphs.Fix(shapes);
        var streams = _graphs.Device.Description.Streams;
        for (var slots = 0; slots < streams; slots++)
        {
            _slots.Add(new GraphSlot(_graphs));
        }

        // One more: detections of a batch are chosen while the next ones run.
        for (var workspaces = 0; workspaces <= streams; workspaces++)
        {
            _workspaces.Add(NewWorkspace());
        }

        WarmUpEachShape(shapes, streams, progress);
        _graphs.BackboneShapes.EndWarmUp();
        _graphs.HeadShapes.EndWarmUp();
    }

    /// <summary>
    /// Runs every shape, from the largest down: the pool of the GPU's memory never merges free pieces, so that rising
    /// sizes would each be added to it.
    /// </summary>
    /// <remarks>
    /// The backbone's shapes on all streams at once: at the same time as another, a batch has a stream, libraries'
    /// handles and intermediate memory of its own, which must exist before requests come.
    /// </remarks>
    private void WarmUpEachShape(FixedShapes shapes, int streams, Action<int> progress)
    {
        var done = 0;
        foreach (var bucket in shapes.Buckets.OrderByDescending(bucket => bucket.Area))
        {
            foreach (var count in shapes.BatchSizes.Reverse())
            {
                var rois = shapes.RoiCountFor(count * Contract.Proposals.PostNmsTopN);
                SideBySide.Run(streams, () => Run(count, bucket, rois));
                progress(++done);
            }
        }

        foreach (var rois in shapes.RoiCounts.Reverse())
        {
            Run(1, shapes.Buckets[0], rois);
            progress(++done);
        }
    }

    /// <summary>Runs both graphs on blank images.</summary>
    private void Run(int count, ImageSize bucket, int rois)
    {
        var slot = TakeSlot();
        TwoStageWorkspace? workspace = null;
        try
        {
            // Inside the try: without memory for a workspace, the slot is put back.
            workspace = TakeWorkspace();
            using var images = BlankImages(count, bucket);
            using var pyramid = slot.RunBackbone(images, []);
            workspace.FillRois(_graphs.Contract.PooledLevels.Count, rois);
            using var outputs = slot.RunHead(pyramid, workspace.Rois, workspace.RoisPerLevel, workspace.HeadBuffers);
        }
        finally
        {
            _slots.Add(slot);
            if (workspace is not null)
            {
                Return(workspace);
            }
        }
    }

    /// <inheritdoc/>
    public InferredBatch Infer(PreparedBatch batch)
    {
        var workspace = TakeWorkspace();
        GraphSlot? slot = null;
        try
        {
            // Inside the try: without memory for a slot, the workspace is put back.
            slot = TakeSlot();
            var started = Stopwatch.GetTimestamp();
            using var pyramid = slot.RunBackbone(batch.Tensor, batch.Geometries);
            var featured = Stopwatch.GetTimestamp();
            _proposals.Select(pyramid, batch, workspace);
            workspace.ArrangeRois(_levels, _graphs.Contract.PooledLevels.Count, _graphs.Plan?.Shapes);
            var proposed = Stopwatch.GetTimestamp();
            var outputs = workspace.RoiCount == 0
                ? null
                : HeadStage.Run(slot, pyramid, workspace);
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
            Return(workspace);
            throw;
        }
        finally
        {
            if (slot is not null)
            {
                _slots.Add(slot);
            }
        }
    }

    /// <summary>Takes back what <see cref="Infer"/> lent to a batch.</summary>
    public void Return(TwoStageWorkspace workspace)
    {
        _workspaces.Add(workspace);
        if (_disposed)
        {
            // A batch whose detections were still being chosen when the model went.
            DisposeAll(_workspaces);
        }
    }

    /// <summary>Name of a pooled level by its place among the pooled levels.</summary>
    public string PooledLevelName(int pooledLevel) =>
        _graphs.Contract.Levels[_graphs.Contract.PooledLevels[pooledLevel]].Name;

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        DisposeAll(_slots);
        DisposeAll(_workspaces);
        _graphs.Dispose();
    }

    private static void DisposeAll<T>(ConcurrentBag<T> idle)
        where T : IDisposable
    {
        while (idle.TryTake(out var item))
        {
            item.Dispose();
        }
    }

    private GraphSlot TakeSlot() => _slots.TryTake(out var slot) ? slot : new GraphSlot(_graphs);

    private TwoStageWorkspace TakeWorkspace() => _workspaces.TryTake(out var workspace) ? workspace : NewWorkspace();

    private TwoStageWorkspace NewWorkspace() =>
        new(Contract, _graphs.Plan?.Shapes is { } shapes ? new HeadBuffers(_graphs, shapes.RoiCounts[^1]) : null);

    private ImageBatch BlankImages(int count, ImageSize size)
    {
        var images = ImageBatch.Rent(count, size, _graphs.Contract.Pixels, _graphs.Device.InputMemory);
        for (var image = 0; image < count; image++)
        {
            images.Clear(image);
        }

        return images;
    }
}
