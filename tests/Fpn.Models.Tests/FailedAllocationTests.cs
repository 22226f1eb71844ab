using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>
/// A run takes a slot and a workspace; without memory for the second, the first is put back. No machine
/// gives more than 4 GiB in one piece.
/// </summary>
public sealed class FailedAllocationTests : IDisposable
{
    private static readonly ImageSize Bucket = new(384, 512);

    private readonly TwoStageDetector _detector;

    public FailedAllocationTests()
    {
        var contract = ModelManifestReader.ReadAlone(Path.Combine(Checkout.Models, "blood-cells"));
        var device = ExecutionDevice.Open(
            new ExecutionOptions { Provider = ExecutionProvider.Cpu }, new CudaOptions());
        _detector = new TwoStageDetector(contract, device);
        _detector.WarmUp(new FixedShapes([Bucket], maxBatchSize: 1, contract.Proposals.PostNmsTopN), _ => { });
    }

    public void Dispose() => _detector.Dispose();

    [Fact]
    public void Infer_NoMemoryForASlot_GivesTheWorkspaceBack()
    {
        HashSet<TwoStageWorkspace> workspaces = [.. Workspaces(_detector)];
        Drain(Slots(_detector));
        Graphs(_detector).Fix(new FixedShapes([Bucket], [100_000], roisPerImage: 1));
        using var batch = new PreparedBatch(ImageBatch.Rent(1, Bucket), [new ImageGeometry(Bucket, Bucket, Bucket)]);
        batch.Tensor.Clear(0);

        Assert.Throws<ModelFailureException>(() => _detector.Infer(batch));

        Assert.Equal(2, workspaces.Count);
        Assert.True(workspaces.SetEquals(Workspaces(_detector)));
    }

    [Fact]
    public void Run_NoMemoryForAWorkspace_GivesTheSlotBack()
    {
        var slot = Assert.Single(Slots(_detector));
        Drain(Workspaces(_detector));
        Graphs(_detector).Fix(new FixedShapes([Bucket], maxBatchSize: 1, roisPerImage: 300_000_000));

        Assert.Throws<ModelFailureException>(() => Run(_detector, 1, Bucket, 16));

        Assert.Same(slot, Assert.Single(Slots(_detector)));
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_slots")]
    private static extern ref readonly ConcurrentBag<GraphSlot> Slots(TwoStageDetector detector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_workspaces")]
    private static extern ref readonly ConcurrentBag<TwoStageWorkspace> Workspaces(TwoStageDetector detector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_graphs")]
    private static extern ref readonly TwoStageGraphs Graphs(TwoStageDetector detector);

    /// <summary>What the warm-up runs for each shape.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Run")]
    private static extern void Run(TwoStageDetector detector, int count, ImageSize bucket, int rois);

    private static void Drain<T>(ConcurrentBag<T> idle)
        where T : IDisposable
    {
        while (idle.TryTake(out var item))
        {
            item.Dispose();
        }
    }
}
