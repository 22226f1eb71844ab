using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Serving.Lanes;
using Fpn.Serving.Sizing;
using Fpn.Testing.Fakes;

namespace Fpn.Serving.Tests;

/// <summary>What a model goes through before it is served: its batch size is measured, its shapes are warmed
/// up.</summary>
public sealed class LaneStartTests : IDisposable
{
    private readonly FakeDetector _detector = new() { RunsFreely = true };

    public void Dispose() => _detector.Dispose();

    [Theory]
    [InlineData("Auto", true, true)]
    [InlineData("Auto", false, false)]
    [InlineData("On", false, true)]
    [InlineData("Off", true, false)]
    public async Task Start_FixedShapes_WarmsAllBucketsAndBatchSizesUp(string setting, bool onGpu, bool expected)
    {
        var provider = onGpu ? ExecutionProvider.Cuda : ExecutionProvider.Cpu;
        var options = new BatchingOptions { MaxBatchSize = 4, FixedShapes = Enum.Parse<FixedShapesSetting>(setting) };
        var device = new DeviceDescription(provider, "a fake", "a test", Streams: 2) { SessionPerShape = onGpu };
        await using var test = Create(options, device: device);

        await test.Lanes.StartAsync();

        var lane = Assert.Single(test.Lanes.Lanes);
        Assert.Equal(expected, lane.Model.HasFixedShapes);
        Assert.Equal(expected, lane.Buckets.Sizes.Count > 0);
        if (expected)
        {
            Assert.Equal(lane.Buckets.Sizes, _detector.Shapes!.Buckets);
            Assert.Equal([1, 2, 4], _detector.Shapes.BatchSizes);
            Assert.Equal(onGpu, _detector.Shapes.SessionPerShape);
            Assert.Equal(4 * lane.Model.Contract.Proposals.PostNmsTopN, _detector.Shapes.RoiCounts[^1]);
        }
        else
        {
            Assert.Null(_detector.Shapes);
        }
    }

    [Fact]
    public async Task Start_OnAGpuWithoutBuckets_LeavesShapesFree()
    {
        var device = new DeviceDescription(ExecutionProvider.Cuda, "a fake", "a test", Streams: 2);
        await using var test = Create(new BatchingOptions { MaxBatchSize = 4, Buckets = "off" }, device: device);

        await test.Lanes.StartAsync();

        Assert.False(Assert.Single(test.Lanes.Lanes).Model.HasFixedShapes);
        Assert.Null(_detector.Shapes);
    }

    [Fact]
    public async Task Start_FixedShapesWithoutBuckets_IsRefused()
    {
        var options = new BatchingOptions { FixedShapes = FixedShapesSetting.On, MaxBatchSize = 4, Buckets = "off" };
        await using var test = Create(options);

        var refusal = await Assert.ThrowsAsync<InvalidOptionException>(test.Lanes.StartAsync);

        Assert.Contains("'Fpn:Batching:Buckets' is 'off'", refusal.Message, StringComparison.Ordinal);
        Assert.Null(_detector.Shapes);
    }

    [Fact]
    public async Task Start_NotEnoughMemoryForTheMeasuredBatch_TakesASmallerOne()
    {
        var clock = new FakeClock();
        using var detector = new FakeDetector { RunsFreely = true, MemoryForBatch = 4 };

        // As a GPU does: a batch takes as long as an image, up to 16.
        detector.DuringRun = images => clock.Advance(TimeSpan.FromMilliseconds(images <= 16 ? 10 : 10 * images));
        await using var test = Create(new BatchingOptions { FixedShapes = FixedShapesSetting.On }, detector, clock);

        await test.Lanes.StartAsync();

        var lane = Assert.Single(test.Lanes.Lanes);
        Assert.Equal(16, lane.Curve.MaxBy(point => point.ImagesPerSecond).BatchSize);
        Assert.Equal(4, lane.Batcher.MaxBatchSize);
        Assert.Equal([1, 2, 4], detector.Shapes!.BatchSizes);
    }

    [Fact]
    public async Task Start_NotEnoughMemoryForTheBatchThatWasSet_RefusesAndSaysWhatWouldHelp()
    {
        using var detector = new FakeDetector { RunsFreely = true, MemoryForBatch = 4 };
        var options = new BatchingOptions { FixedShapes = FixedShapesSetting.On, MaxBatchSize = 8 };
        await using var test = Create(options, detector);

        var refusal = await Assert.ThrowsAsync<ModelNotServedException>(test.Lanes.StartAsync);

        Assert.Equal(
            "Model 'fake' cannot be warmed up with batches of up to 8: out of memory. A smaller "
            + "'Fpn:Batching:MaxBatchSize' takes less memory; 'Fpn:Batching:FixedShapes=off' does without.",
            refusal.Message);
    }

    [Fact]
    public async Task Start_DeviceLostWhileTrying_RefusesAndSaysSo()
    {
        _detector.DuringRun = _ => throw new DeviceLostException("CUDA failure 700");
        await using var test = Create(new BatchingOptions());

        var refusal = await Assert.ThrowsAsync<ModelNotServedException>(test.Lanes.StartAsync);

        Assert.Equal("Model 'fake': the device failed while the model was tried: CUDA failure 700", refusal.Message);
    }

    private TestRegistry Create(
        BatchingOptions options,
        FakeDetector? detector = null,
        TimeProvider? clock = null,
        DeviceDescription? device = null)
    {
        var packages = new FakePackages(("fake", () => detector ?? _detector))
        {
            Device = device ?? new(ExecutionProvider.Cpu, "a fake", "a test", Streams: 1),
        };
        return new TestRegistry(packages, options, clock);
    }
}
