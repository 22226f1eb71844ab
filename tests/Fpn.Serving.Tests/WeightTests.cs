using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Models.Detectors;
using Fpn.Serving.Requests;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>What costs more than an image takes more places in the queue, and counts as more images in the estimate of
/// waiting times. The queue has nine places; an image has 1,000 proposals at most.</summary>
[Collection(Alone.Collection)]
public sealed class WeightTests : IAsyncDisposable
{
    private readonly TestPipeline _pipeline = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    /// <summary>1600 x 1600 pixels beside 800 x 1344: 2.38.</summary>
    [Fact]
    public async Task Detect_LargeScale_TakesPlacesByItsPixels()
    {
        await _pipeline.StartAsync();
        var answer = _pipeline.Send(new DetectionRequest(Pictures.Png(16, 16))
        {
            Views = new ViewOptions { Scales = [1600] },
            Cancellation = Cancel,
        });
        await AssertWeightAsync(3, answer);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(1000, 1)]
    [InlineData(1001, 2)]
    [InlineData(8000, 8)]
    public async Task Detect_Regions_TakePlacesByTheirNumber(int boxes, int places)
    {
        await _pipeline.StartAsync();
        await AssertWeightAsync(places, SendRegions(boxes));
    }

    [Fact]
    public async Task Detect_RegionsBesideAnImage_AreRefusedUnlessAllHaveAPlace()
    {
        await _pipeline.StartAsync();
        var (run, occupying) = await _pipeline.OccupyAsync();
        var failure = (await SendRegions(8001)).Failure!;
        Assert.Equal(FailureKind.QueueFull, failure.Kind);
        Assert.Equal(1, _pipeline.Lane.Admitted);
        var fits = SendRegions(8000);
        Assert.Equal(9, _pipeline.Lane.Admitted);
        Assert.Equal(FailureKind.QueueFull, (await _pipeline.Send(10)).Failure!.Kind);
        run.End();
        await _pipeline.EndNextAsync(10);
        Assert.True((await occupying).Succeeded);
        Assert.True((await fits).Succeeded);
    }

    /// <summary>They could never be let in otherwise.</summary>
    [Fact]
    public async Task Detect_RegionsWorthMoreThanTheQueue_RunAlone()
    {
        await _pipeline.StartAsync();
        var regions = SendRegions(20_000);
        var run = await _pipeline.Detector.NextRunAsync();
        Assert.Equal(9, _pipeline.Lane.Admitted);
        Assert.Equal(FailureKind.QueueFull, (await _pipeline.Send(10)).Failure!.Kind);
        run.End();
        Assert.True((await regions).Succeeded);
        AssertRate(20);
    }

    private async Task AssertWeightAsync(int weight, Task<Result<DetectionResult>> answer)
    {
        var run = await _pipeline.Detector.NextRunAsync();
        Assert.Equal(weight, _pipeline.Lane.Admitted);
        run.End();
        Assert.True((await answer).Succeeded);
        Assert.Equal(0, _pipeline.Lane.Admitted);
        AssertRate(weight);
    }

    /// <summary>The run took as long as one of an image: a weight makes it faster for each. The newest run counts a
    /// fifth.</summary>
    private void AssertRate(int weight)
    {
        var expected = TestPipeline.PerImage * (0.8 + (0.2 / weight));
        var rate = _pipeline.Lane.Batcher.Rate.PerImage!.Value;
        Assert.Equal(expected.TotalMilliseconds, rate.TotalMilliseconds, tolerance: 0.01);
    }

    private Task<Result<DetectionResult>> SendRegions(int boxes) =>
        _pipeline.Send(new DetectionRequest(Pictures.Png(10, 16))
        {
            Task = new RegionTask([.. Enumerable.Repeat(new Box(0, 0, 9, 9), boxes)], 1),
            Cancellation = Cancel,
        });
}
