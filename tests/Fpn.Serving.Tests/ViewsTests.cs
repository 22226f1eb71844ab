using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Models.Packages;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>The views of an image go through the queue together: all of them are admitted or none, and one that ends
/// badly ends the others and nothing else. Images are 16 pixels high.</summary>
[Collection(Alone.Collection)]
public sealed class ViewsTests : IAsyncDisposable
{
    /// <summary>Columns 0, 32 and 64 of an image that is 96 wide, and no look at the whole.</summary>
    private static readonly ViewOptions Thirds =
        new() { Slice = new ImageSize(32, 32), Overlap = 0, WholeImage = false };

    private TestPipeline? _used;

    private TestPipeline Pipeline => _used ??= new TestPipeline();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _used?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Detect_Slices_ShareBatchesAndAreMerged()
    {
        await StartAsync(maxBatchSize: 4);
        var answer = Send(96, Thirds);
        await Pipeline.EndNextAsync(32, 32, 32);

        // Each view finds the pixel in its corner; none overlaps another.
        var result = (await answer).Value!;
        Assert.Equal(3, result.ViewCount);
        Assert.Equal(3, result.BatchSize);
        Assert.Equal(new ImageSize(16, 96), result.Size);
        Assert.Equal(
            [new Box(0, 0, 1, 1), new Box(32, 0, 33, 1), new Box(64, 0, 65, 1)],
            result.Detections.Select(detection => detection.Box));
        Assert.Equal(1, Pipeline.Codec.Decoded);
    }

    [Fact]
    public async Task Detect_SlicesAndTheWholeImage_MergesWhatBothFind()
    {
        await StartAsync(maxBatchSize: 4);
        var answer = Send(96, Thirds with { WholeImage = true });

        // The whole image has another size, so it runs alone.
        await Pipeline.EndNextAsync(96);
        await Pipeline.EndNextAsync(32, 32, 32);
        var result = (await answer).Value!;
        Assert.Equal(4, result.ViewCount);

        // The fake's score is the width: of the two boxes in the corner, the whole image's is the better one.
        Assert.Equal([96, 32, 32], result.Detections.Select(detection => detection.Score));
    }

    [Fact]
    public async Task Detect_Flip_TurnsBoxesBack()
    {
        await StartAsync(maxBatchSize: 4);
        var answer = Send(40, new ViewOptions { Flip = true });
        await Pipeline.EndNextAsync(40, 40);
        Assert.Equal(
            [new Box(0, 0, 1, 1), new Box(39, 0, 40, 1)],
            (await answer).Value!.Detections.Select(detection => detection.Box));
    }

    /// <summary>More than keep the device busy stay out of the queue, so that another image need not wait for all of
    /// them.</summary>
    [Fact]
    public async Task Detect_ManyViews_LetAnotherImageIn()
    {
        await StartAsync(maxBatchSize: 1);
        var views = Send(32 * 5, Thirds);
        var run = await Pipeline.Detector.NextRunAsync();

        // One view is on the device, and one is prepared for it.
        await Eventually(() => Pipeline.Lane.Batcher.Waiting == 0);
        var other = Pipeline.Send(33);
        await Eventually(() => Pipeline.Lane.Batcher.Waiting == 1);
        run.End();
        await Pipeline.EndNextAsync(32);
        await Pipeline.EndNextAsync(33);
        Assert.True((await other).Succeeded);
        for (var left = 0; left < 3; left++)
        {
            await Pipeline.EndNextAsync(32);
        }

        Assert.Equal(5, (await views).Value!.ViewCount);
    }

    [Fact]
    public async Task Detect_MoreViewsThanPlacesAreFree_IsRefusedAsAWhole()
    {
        await StartAsync(maxBatchSize: 1);
        var (run, occupying) = await Pipeline.OccupyAsync();

        // Nine places, of which one is taken: seven more views and an image fit, nine views do not.
        var views = Send(32 * 8, Thirds);
        await Eventually(() => Pipeline.Lane.Admitted == 9);
        var refused = (await Send(96, Thirds)).Failure!;
        Assert.Equal(FailureKind.QueueFull, refused.Kind);
        Assert.Equal(FailureKind.QueueFull, (await Pipeline.Send(10)).Failure!.Kind);
        Assert.Equal(9, Pipeline.Lane.Admitted);
        Pipeline.Detector.RunsFreely = true;
        run.End();
        Pipeline.Detector.RunOut();
        Assert.True((await occupying).Succeeded);
        Assert.Equal(8, (await views).Value!.ViewCount);
    }

    [Fact]
    public async Task Detect_MoreViewsThanTheQueueHasPlaces_IsNotWorthARetry()
    {
        await StartAsync(maxBatchSize: 1);
        var failure = (await Send(32 * 10, Thirds)).Failure!;
        Assert.Equal(FailureKind.TooManyViews, failure.Kind);
        Assert.Null(failure.RetryAfter);
        Assert.Equal(0, Pipeline.Codec.Decoded);
    }

    [Fact]
    public async Task Detect_MoreViewsThanTheLimit_SaysHowMany()
    {
        Pipeline.Views = new ViewLimits(MaxViews: 2, MaxViewPixels: 4_000_000);
        await StartAsync(maxBatchSize: 1);
        var failure = (await Send(96, Thirds)).Failure!;
        Assert.Equal(FailureKind.TooManyViews, failure.Kind);
        Assert.Contains("in 3 views; at most 2", failure.Detail, StringComparison.Ordinal);
        Assert.Equal(0, Pipeline.Codec.Decoded);
    }

    [Fact]
    public async Task Detect_ScaleWithTooManyPixels_IsRefusedBeforeDecoding()
    {
        Pipeline.Views = new ViewLimits(MaxViews: 64, MaxViewPixels: 64 * 96);
        await StartAsync(maxBatchSize: 1);

        // 16 x 24 pixels become 64 x 96, then 65 x 97.5, which is padded to 96 x 128.
        var fits = Send(24, new ViewOptions { Scales = [64] });
        await Pipeline.EndNextAsync(24);
        Assert.True((await fits).Succeeded);
        var failure = (await Send(24, new ViewOptions { Scales = [65] })).Failure!;
        Assert.Equal(FailureKind.TooManyPixels, failure.Kind);
        Assert.Contains("128 pixels wide and 96 high", failure.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_ScalesOfAModelThatResizesItself_AreRefused()
    {
        using var plain = new FakeDetector();
        var endToEnd = new EndToEndOptions(
            "image", 3, ResizeInside: true, "boxes", "labels", "scores", BoxesInOriginal: true);
        _used = new TestPipeline(new FakeDetector { Contract = plain.Contract with { EndToEnd = endToEnd } });
        await StartAsync(maxBatchSize: 1);
        var failure = (await Send(40, new ViewOptions { Scales = [64] })).Failure!;
        Assert.Equal(FailureKind.NotScalable, failure.Kind);
        Assert.Equal("scales", failure.Parameter);
        var slices = Send(96, Thirds);
        Pipeline.Detector.RunOut();
        Assert.Equal(3, (await slices).Value!.ViewCount);
    }

    [Fact]
    public async Task Detect_ViewFails_TakesTheOthersOutOfTheQueueAndNothingElse()
    {
        await StartAsync(maxBatchSize: 1);
        Pipeline.Detector.PoisonedWidths.Add(32);
        var views = Send(32 * 4, Thirds);
        var run = await Pipeline.Detector.NextRunAsync();
        await Eventually(() => Pipeline.Lane.Batcher.Waiting == 0);
        var other = Pipeline.Send(33);
        await Eventually(() => Pipeline.Lane.Batcher.Waiting == 1);
        run.End();
        Assert.Equal(FailureKind.NonFiniteOutput, (await views).Failure!.Kind);
        Pipeline.Detector.RunOut();
        Assert.True((await other).Succeeded);
    }

    [Fact]
    public async Task Detect_CallerLeaves_TakesAllViewsAlong()
    {
        await StartAsync(maxBatchSize: 1);
        using var gone = new CancellationTokenSource();
        var views = Pipeline.Send(new DetectionRequest(Pictures.Png(32 * 4, 16))
        {
            Views = Thirds,
            Cancellation = gone.Token,
        });
        var run = await Pipeline.Detector.NextRunAsync();
        await Eventually(() => Pipeline.Lane.Batcher.Waiting == 0);
        var other = Pipeline.Send(33);
        await Eventually(() => Pipeline.Lane.Batcher.Waiting == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => views);
        Assert.Equal(1, Pipeline.Lane.Batcher.Waiting);
        run.End();
        Pipeline.Detector.RunOut();
        Assert.True((await other).Succeeded);
    }

    [Fact]
    public async Task Detect_DeadlinePasses_EndsAllViews()
    {
        await StartAsync(maxBatchSize: 1);
        var views = Pipeline.Send(new DetectionRequest(Pictures.Png(32 * 4, 16))
        {
            Views = Thirds,
            Timeout = TimeSpan.FromSeconds(5),
            Cancellation = Cancel,
        });
        var run = await Pipeline.Detector.NextRunAsync();
        Pipeline.Clock.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(FailureKind.DeadlinePassed, (await views).Failure!.Kind);
        Assert.Equal(0, Pipeline.Lane.Batcher.Waiting);
        run.End();
        Pipeline.Detector.RunOut();
    }

    [Fact]
    public async Task Detect_PackageHasViews_TakesThemUnlessTheRequestSaysOtherwise()
    {
        using var plain = new FakeDetector();
        _used = new TestPipeline(
            new FakeDetector { Contract = plain.Contract with { Views = new ViewOptions { Flip = true } } });
        await StartAsync(maxBatchSize: 4);
        var answer = Pipeline.Send(40);
        await Pipeline.EndNextAsync(40, 40);
        Assert.Equal(2, (await answer).Value!.ViewCount);
        answer = Send(40, ViewOptions.OneView);
        await Pipeline.EndNextAsync(40);
        Assert.Equal(1, (await answer).Value!.ViewCount);
    }

    [Fact]
    public async Task Detect_ManyDetections_MayBeAsManyForEachRegion()
    {
        using var plain = new FakeDetector();
        var contract = plain.Contract with { RoiHeads = plain.Contract.RoiHeads with { DetectionsPerImage = 1 } };
        _used = new TestPipeline(new FakeDetector { Contract = contract });
        await StartAsync(maxBatchSize: 8);
        Pipeline.Detector.RunsFreely = true;
        Assert.Equal(3, (await Send(96, Thirds)).Value!.Detections.Count);

        // Mirrored or not, it is one region: detectron2's limit.
        Assert.Single((await Send(96, new ViewOptions { Flip = true })).Value!.Detections);
    }

    /// <summary>Views share their picture: what counts against the budget is each picture once, however many clients
    /// send pictures to slice.</summary>
    [Fact]
    public async Task Detect_ManyClientsWithSlices_KeepDecodedPicturesWithinTheBudget()
    {
        const long Picture = 96 * 16 * 3;
        Pipeline.Bytes = new ByteBudget(4 * Picture);
        Pipeline.Options.QueueCapacity = 1000;
        await StartAsync(maxBatchSize: 2);
        var most = 0L;
        Pipeline.Detector.DuringRun = _ => most = Math.Max(most, Pipeline.Bytes.Used);
        Pipeline.Detector.RunsFreely = true;
        var answers = await Task.WhenAll(Enumerable.Range(0, 64).Select(_ => Send(96, Thirds)));
        Assert.All(answers, answer => Assert.Equal(3, answer.Value!.Detections.Count));
        Assert.InRange(most, Picture, 4 * Picture);
    }

    private static Task Eventually(Func<bool> holds) => Testing.Running.Eventually.TrueAsync(holds);

    private Task<Result<DetectionResult>> Send(int width, ViewOptions views) =>
        Pipeline.Send(new DetectionRequest(Pictures.Png(width, 16)) { Views = views, Cancellation = Cancel });

    private Task StartAsync(int maxBatchSize)
    {
        Pipeline.Options.MaxBatchSize = maxBatchSize;
        return Pipeline.StartAsync();
    }
}
