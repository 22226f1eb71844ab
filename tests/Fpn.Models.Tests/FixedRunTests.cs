using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Detection.Views;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests;

/// <summary>A detector whose graphs run in fixed shapes, on the trained model.</summary>
[Trait("Speed", "slow")]
public sealed class FixedRunTests : IDisposable
{
    private const int LargestBatch = 6;

    /// <summary>Filling up changes how products are summed, not what they are.</summary>
    private const float BoxTolerance = 0.01f;

    private const float ScoreTolerance = 1e-5f;

    private static readonly ImageSize Lying = new(384, 512);
    private static readonly ImageSize Upright = new(512, 384);

    private readonly ExecutionDevice _device = ExecutionDevice.Open(
        new ExecutionOptions { Provider = ExecutionProvider.Cpu }, new CudaOptions());

    private readonly ModelContract _contract = ModelManifestReader.Read(Path.Combine(Checkout.Models, "blood-cells"));
    private readonly List<MeasuredImage> _images = [];
    private readonly ImageDecoder _decoder = new(40_000_000, new VipsCodec());

    public FixedRunTests() => AddIfLying(_decoder.Decode(File.ReadAllBytes(Checkout.SampleImage)).Image!);

    public void Dispose() => _images.ForEach(image => image.Decoded.Dispose());

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void Infer_BatchesAndRoisFilledUp_GivesTheDetectionsOfFreeShapes(int count)
    {
        using var free = new TwoStageDetector(_contract, _device);
        using var detector = Warm();
        var images = Pictures(count);

        var expected = Detect(free, images, out var freeBatch);
        var actual = Detect(detector, images, out var fixedBatch);

        Assert.Equal(count, freeBatch);
        Assert.Equal(count switch { 3 => 4, 5 => 6, _ => count }, fixedBatch);
        for (var image = 0; image < count; image++)
        {
            Assert.NotEmpty(expected[image]);
            Assert.Equal(expected[image].Length, actual[image].Length);
            foreach (var (reference, found) in expected[image].Zip(actual[image]))
            {
                Assert.Equal(reference.Label, found.Label);
                Assert.Equal(reference.Level, found.Level);
                Assert.Equal(reference.Score, found.Score, ScoreTolerance);
                Assert.Equal(reference.Box.X1, found.Box.X1, BoxTolerance);
                Assert.Equal(reference.Box.Y1, found.Box.Y1, BoxTolerance);
                Assert.Equal(reference.Box.X2, found.Box.X2, BoxTolerance);
                Assert.Equal(reference.Box.Y2, found.Box.Y2, BoxTolerance);
            }
        }
    }

    [Fact]
    public void Infer_AnyNumberOfImagesInABucket_MeetsNoNewShape()
    {
        using var detector = Warm();

        for (var count = 1; count <= LargestBatch; count++)
        {
            Detect(detector, Pictures(count), out _);
        }

        Assert.Equal(
            new Dictionary<string, long> { ["backbone"] = 0, ["head"] = 0 },
            detector.UnwarmedShapes.ToDictionary());
    }

    [Fact]
    public void Infer_SizeOfNoBucket_IsAnsweredAndCounted()
    {
        using var detector = Warm();
        using var batch = detector.Prepare(new ImageSize(640, 640), Pictures(1));
        using var inferred = detector.Infer(batch);

        Assert.NotEmpty(inferred.Select(0));
        Assert.Equal(1, detector.UnwarmedShapes["backbone"]);
        Assert.Equal(0, detector.UnwarmedShapes["head"]);
    }

    [Fact]
    public void WarmUp_Progress_CountsEveryShapeOnce()
    {
        using var detector = new TwoStageDetector(_contract, _device);
        var shapes = new FixedShapes([Lying, Upright], 2, _contract.Proposals.PostNmsTopN);
        var done = new List<int>();

        detector.WarmUp(shapes, done.Add);

        Assert.Equal(Enumerable.Range(1, (2 * 2) + shapes.RoiCounts.Count), done);
    }

    /// <summary>On a GPU each of them is memory that was set apart: one more for each batch would fill it.</summary>
    [Fact]
    public void Infer_AgainAndAfterAFailure_UsesTheSlotsAndWorkspacesThatThereAre()
    {
        using var detector = Warm();
        var (slots, workspaces) = (Slots(detector).ToHashSet(), Workspaces(detector).ToHashSet());
        var failing = detector.Prepare(Lying, Pictures(1));
        failing.Dispose();

        Detect(detector, Pictures(2), out _);
        Assert.Throws<ObjectDisposedException>(() => detector.Infer(failing));

        Assert.Single(slots);
        Assert.True(slots.SetEquals(Slots(detector)));
        Assert.Equal(2, workspaces.Count);
        Assert.True(workspaces.SetEquals(Workspaces(detector)));
    }

    [Fact]
    public void WarmUp_Again_LeavesNoneOfTheOldShapesMemory()
    {
        using var detector = Warm();
        var (slots, workspaces) = (Slots(detector).ToHashSet(), Workspaces(detector).ToHashSet());

        detector.WarmUp(new FixedShapes([Lying], 2, _contract.Proposals.PostNmsTopN), _ => { });

        Assert.DoesNotContain(Slots(detector), slots.Contains);
        Assert.DoesNotContain(Workspaces(detector), workspaces.Contains);
        Assert.NotEmpty(Detect(detector, Pictures(2), out _)[0]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Infer_SideBySide_KeepsBatchesApart(bool sessionPerShape)
    {
        using var detector = Warm(sessionPerShape);
        var images = Pictures(5);
        var expected = images.Select(image => Detect(detector, [image], out _)[0]).ToList();

        Parallel.For(0, 4 * images.Count, new ParallelOptions { MaxDegreeOfParallelism = 3 }, run =>
        {
            var image = run % images.Count;
            Assert.Equal(expected[image], Detect(detector, [images[image]], out _)[0]);
        });
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_slots")]
    private static extern ref readonly ConcurrentBag<GraphSlot> Slots(TwoStageDetector detector);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_workspaces")]
    private static extern ref readonly ConcurrentBag<TwoStageWorkspace> Workspaces(TwoStageDetector detector);

    private static DetectedObject[][] Detect(TwoStageDetector detector, List<MeasuredImage> images, out int batchSize)
    {
        using var batch = detector.Prepare(Lying, images);
        batchSize = batch.Tensor.Count;
        using var inferred = detector.Infer(batch);
        return [.. images.Select((_, index) => inferred.Select(index))];
    }

    private TwoStageDetector Warm(bool sessionPerShape = false)
    {
        var detector = new TwoStageDetector(_contract, _device);
        detector.WarmUp(
            new FixedShapes([Lying, Upright], LargestBatch, _contract.Proposals.PostNmsTopN)
            {
                SessionPerShape = sessionPerShape,
            },
            _ => { });
        return detector;
    }

    /// <summary>The sample and lying made images that differ from each other.</summary>
    private List<MeasuredImage> Pictures(int count)
    {
        foreach (var name in MadeImages.All)
        {
            if (_images.Count >= count)
            {
                break;
            }

            AddIfLying(_decoder.Decode(MadeImages.Read(name)).Image!);
        }

        // Where there are too few, some come twice.
        return [.. Enumerable.Range(0, count).Select(index => _images[index % _images.Count])];
    }

    private void AddIfLying(DecodedImage image)
    {
        var geometry = new Preprocessor(_contract.Input, PixelType.Float32).Measure(image.Size);
        if (geometry.Padded == Lying)
        {
            _images.Add(new MeasuredImage(image, new View(image.Size), geometry));
        }
        else
        {
            image.Dispose();
        }
    }
}
