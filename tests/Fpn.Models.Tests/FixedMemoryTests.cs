using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>Where the graphs' outputs lie: with fixed shapes in memory that was set apart, on the trained
/// model.</summary>
[Trait("Speed", "slow")]
public sealed class FixedMemoryTests
{
    private static readonly ImageSize Lying = new(384, 512);
    private static readonly ImageSize Upright = new(512, 384);

    private readonly ExecutionDevice _device = ExecutionDevice.Open(
        new ExecutionOptions { Provider = ExecutionProvider.Cpu }, new CudaOptions());

    private readonly ModelContract _contract =
        ModelManifestReader.ReadAlone(Path.Combine(Checkout.Models, "blood-cells"));

    [Fact]
    public void RunBackbone_FixedShapes_WritesIntoTheMemoryThatWasSetApart()
    {
        using var graphs = new TwoStageGraphs(_contract, _device);
        graphs.Fix(new FixedShapes([Lying, Upright], maxBatchSize: 2, roisPerImage: 100));
        using var slot = new GraphSlot(graphs);

        var addresses = new List<nint>();
        foreach (var (size, count) in new[] { (Lying, 1), (Lying, 2), (Upright, 2), (Lying, 1) })
        {
            using var images = ImageBatch.Rent(count, size);
            for (var image = 0; image < count; image++)
            {
                images.Image<float>(image).Fill(0.5f);
            }

            using var pyramid = slot.RunBackbone(images, []);
            var objectness = pyramid[graphs.Contract.Objectness(0)];
            Assert.Equal([count, 3, size.Height / 4, size.Width / 4], objectness.GetTensorTypeAndShape().Shape);
            Assert.Contains(objectness.GetTensorDataAsSpan<float>().ToArray(), value => value != 0);
            addresses.Add(Address(objectness.GetTensorDataAsSpan<float>()));
        }

        Assert.Single(addresses.Distinct());
    }

    [Fact]
    public void RunHead_FixedShapes_WritesIntoTheMemoryThatWasSetApart()
    {
        using var graphs = new TwoStageGraphs(_contract, _device);
        graphs.Fix(new FixedShapes([Lying], maxBatchSize: 1, roisPerImage: 64));
        using var slot = new GraphSlot(graphs);
        using var workspace = new TwoStageWorkspace(_contract, new HeadBuffers(graphs, mostRois: 64));
        using var images = ImageBatch.Rent(1, Lying);
        images.Clear(0);
        using var pyramid = slot.RunBackbone(images, []);

        var classLogits = new List<nint>();
        var boxDeltas = new List<nint>();
        foreach (var rois in new[] { 64, 16 })
        {
            workspace.FillRois(graphs.Contract.PooledLevels.Count, rois);
            using var outputs = slot.RunHead(pyramid, workspace.Rois, workspace.RoisPerLevel, workspace.HeadBuffers);
            Assert.Equal([rois, graphs.Contract.ClassLogits.Columns], outputs.ClassLogitsShape);
            Assert.Equal([rois, graphs.Contract.BoxDeltas.Columns], outputs.BoxDeltasShape);
            classLogits.Add(Address(outputs.ClassLogits));
            boxDeltas.Add(Address(outputs.BoxDeltas));
        }

        var views = workspace.HeadBuffers!.View(64);
        Assert.All(classLogits, at => Assert.Equal(Address(views.ClassLogits.GetTensorDataAsSpan<float>()), at));
        Assert.All(boxDeltas, at => Assert.Equal(Address(views.BoxDeltas.GetTensorDataAsSpan<float>()), at));
    }

    [Fact]
    public void BackboneFor_SessionPerShape_IsAnotherForEachShapeAndTheCommonOneElsewhere()
    {
        using var graphs = new TwoStageGraphs(_contract, _device);
        var shapes = new FixedShapes([Lying, Upright], maxBatchSize: 2, roisPerImage: 16) { SessionPerShape = true };

        graphs.Fix(shapes);

        OnnxGraph[] own = [.. shapes.Buckets.SelectMany(
            bucket => shapes.BatchSizes.Select(images => graphs.BackboneFor(bucket, images)))];
        Assert.Equal(4, own.Distinct().Count());
        Assert.DoesNotContain(graphs.Backbone, own);
        Assert.Same(graphs.Backbone, graphs.BackboneFor(Lying, 3));
        Assert.Same(own[0], graphs.BackboneFor(Lying, 1));

        graphs.Fix(new FixedShapes([Lying], maxBatchSize: 1, roisPerImage: 16));
        Assert.Same(graphs.Backbone, graphs.BackboneFor(Lying, 1));
    }

    [Fact]
    public void RunBackbone_OtherShapes_GivesEveryBatchItsOwnMemory()
    {
        using var graphs = new TwoStageGraphs(_contract, _device);
        using var slot = new GraphSlot(graphs);
        using var images = ImageBatch.Rent(1, Lying);
        images.Clear(0);

        using var first = slot.RunBackbone(images, []);
        using var second = slot.RunBackbone(images, []);

        Assert.NotEqual(
            Address(first[0].GetTensorDataAsSpan<float>()), Address(second[0].GetTensorDataAsSpan<float>()));
    }

    private static unsafe nint Address(ReadOnlySpan<float> values)
    {
        fixed (float* first = values)
        {
            return (nint)first;
        }
    }
}
