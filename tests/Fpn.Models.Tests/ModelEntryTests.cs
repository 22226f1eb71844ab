using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Testing.Fakes;

namespace Fpn.Models.Tests;

/// <summary>A model that is loaded again after its device was lost.</summary>
public sealed class ModelEntryTests
{
    private static readonly FixedShapes Shapes = new([new ImageSize(32, 32)], maxBatchSize: 2, roisPerImage: 16);

    private readonly List<FakeDetector> _loaded = [];

    [Fact]
    public void TryReload_FromSeveralStreams_LoadsOnceAndWarmsUpAgain()
    {
        using var model = new ModelEntry(Load);
        model.WarmUp(Shapes, _ => { });
        Lose(model);

        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ => Assert.Null(model.TryReload()));

        Assert.Equal(2, _loaded.Count);
        Assert.Equal(1, _loaded[0].Disposals);
        Assert.Same(Shapes, _loaded[1].Shapes);
        Assert.Same(_loaded[1], model.Detector);
    }

    /// <summary>A batch that finds the model lost has met the same failure; losing the model that was loaded since is
    /// another one.</summary>
    [Fact]
    public void Losses_SeveralBatchesMeetOneFailure_CountsFailures()
    {
        using var model = new ModelEntry(Load);
        Assert.Equal(0, model.Losses);
        Lose(model);
        Lose(model);
        Assert.Equal(1, model.Losses);
        Assert.Null(model.TryReload());
        Lose(model);
        Assert.Equal(2, model.Losses);
    }

    [Fact]
    public void Dispose_DeviceThatWorks_IsNoLoss()
    {
        var model = new ModelEntry(Load);
        model.Dispose();
        Assert.Equal(0, model.Losses);
    }

    [Fact]
    public void TryReload_AfterDispose_LoadsNothing()
    {
        var model = new ModelEntry(Load);
        Lose(model);
        model.Dispose();

        Assert.Null(model.TryReload());

        Assert.Single(_loaded);
        Assert.True(model.IsLost);
    }

    private static void Lose(ModelEntry model)
    {
        using var batch = new PreparedBatch(ImageBatch.Rent(1, new ImageSize(32, 32)), []);
        Assert.Throws<DeviceLostException>(() => model.Infer(batch));
    }

    private FakeDetector Load()
    {
        var detector = new FakeDetector
        {
            RunsFreely = true,
            DuringRun = _ => throw new DeviceLostException("gone"),
        };
        lock (_loaded)
        {
            _loaded.Add(detector);
        }

        return detector;
    }
}
