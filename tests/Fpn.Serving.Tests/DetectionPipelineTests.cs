using Fpn.Models.Execution.Devices;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>Answers, refusals and failures of the way from an image's bytes to its detections.</summary>
[Collection(Alone.Collection)]
public sealed class DetectionPipelineTests : IAsyncDisposable
{
    private readonly TestPipeline _pipeline = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    [Fact]
    public async Task Detect_FreeDevice_AnswersWithTimesThatAddUp()
    {
        await _pipeline.StartAsync();
        _pipeline.Detector.RunsFreely = true;
        var answer = await _pipeline.Send(10);
        Assert.True(answer.Succeeded);
        var result = answer.Value;
        Assert.Equal(10, Assert.Single(result.Detections).Score);
        Assert.Equal((16, 10, 1), (result.Size.Height, result.Size.Width, result.BatchSize));
        Assert.Equal(TestPipeline.PerImage, result.Times.Inference);
        var times = result.Times;
        Assert.Equal(
            times.Total, times.Decode + times.Preprocess + times.Queue + times.Inference + times.Postprocess);
    }

    /// <summary>One on the device and one that waits are all there may be; the two take 200 ms.</summary>
    [Fact]
    public async Task Detect_QueueFull_IsRefusedAtOnceWithTheTimeThatThoseAheadTake()
    {
        _pipeline.Options.QueueCapacity = 1;
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11);
        var third = await _pipeline.Send(12);
        Assert.Equal(FailureKind.QueueFull, third.Failure?.Kind);
        Assert.Equal(TimeSpan.FromMilliseconds(200), third.Failure!.RetryAfter);
        Assert.Equal(2, _pipeline.Lane.Admitted);

        run.End();
        Assert.Null((await first).Failure);
        await _pipeline.EndNextAsync(11);
        Assert.Null((await second).Failure);
        Assert.Equal(0, _pipeline.Lane.Admitted);
    }

    [Fact]
    public async Task Detect_Images_HaveTheirHeadersReadOnce()
    {
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        run.End();
        Assert.Null((await first).Failure);

        Assert.Equal((1, 1, 0), (_pipeline.Codec.Opened, _pipeline.Codec.Decoded, _pipeline.Codec.Open));
    }

    [Fact]
    public async Task Detect_Images_AreMeasuredOnce()
    {
        _pipeline.Options.MaxBatchSize = 4;
        await _pipeline.StartAsync();
        var before = _pipeline.Detector.Measurements;
        var (run, first) = await _pipeline.OccupyAsync();
        Task<Result<DetectionResult>>[] together = [_pipeline.Send(11), _pipeline.Send(12)];
        await Eventually.TrueAsync(() => _pipeline.Lane.Batcher.Waiting == together.Length);
        run.End();
        (await _pipeline.Detector.NextRunAsync()).End();
        Assert.All([await first, .. await Task.WhenAll(together)], answer => Assert.Null(answer.Failure));

        Assert.Equal(3, _pipeline.Detector.Measurements - before);
    }

    [Fact]
    public async Task Detect_BadImages_LeaveTheQueueAtOnce()
    {
        _pipeline.Options.QueueCapacity = 1;
        await _pipeline.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            var result = await _pipeline.Send(Request("not an image"u8.ToArray()));
            Assert.Equal(FailureKind.UnsupportedFormat, result.Failure?.Kind);
            result = await _pipeline.Send(Request(Pictures.Png(10, 16).AsMemory(0, 45)));
            Assert.Equal(FailureKind.Undecodable, result.Failure?.Kind);
            result = await _pipeline.Send(Request(Pictures.Png(4000, 4000)));
            Assert.Equal(FailureKind.TooManyPixels, result.Failure?.Kind);
        }

        Assert.Equal((0, 0L), (_pipeline.Lane.Admitted, _pipeline.Bytes.Used));
    }

    [Fact]
    public async Task Detect_Abandoned_IsAnsweredShuttingDown()
    {
        _pipeline.Options.MaxBatchSize = 4;
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11);
        await Eventually.TrueAsync(() => _pipeline.Lane.Batcher.Waiting == 1);
        _pipeline.Lanes.Abandon();
        Assert.Equal(FailureKind.ShuttingDown, (await second).Failure?.Kind);
        Assert.Equal(FailureKind.ShuttingDown, (await _pipeline.Send(12)).Failure?.Kind);
        run.End();
        Assert.Null((await first).Failure);
    }

    /// <summary>The first try to load the model again fails too; images are measured meanwhile all the
    /// same.</summary>
    [Fact]
    public async Task Detect_DeviceStaysLostForAWhile_AnswersSoAndComesBack()
    {
        await _pipeline.StartAsync();
        using var second = new FakeDetector { RunsFreely = true };
        var loads = 0;
        _pipeline.Reload = () => ++loads < 2 ? throw new InvalidOperationException("still gone") : second;
        var lost = _pipeline.Send(10);
        (await _pipeline.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        Assert.Equal(FailureKind.DeviceLost, (await lost).Failure?.Kind);
        Assert.True(_pipeline.Lane.Model.IsLost);
        Assert.Equal(FailureKind.DeviceLost, (await _pipeline.Send(11)).Failure?.Kind);
        Assert.False(_pipeline.Lane.Model.IsLost);
        Assert.Null((await _pipeline.Send(12)).Failure);
    }

    /// <summary>A load balancer sends nothing to a service that is not ready: it must come back by itself.</summary>
    [Fact]
    public async Task Detect_DeviceStaysLostWithoutRequests_ComesBackByItself()
    {
        await _pipeline.StartAsync();
        using var second = new FakeDetector { RunsFreely = true };
        var loads = 0;
        _pipeline.Reload = () => Interlocked.Increment(ref loads) < 3
            ? throw new InvalidOperationException("still gone")
            : second;
        var lost = _pipeline.Send(10);
        (await _pipeline.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        Assert.Equal(FailureKind.DeviceLost, (await lost).Failure?.Kind);
        await Eventually.TrueAsync(() =>
        {
            _pipeline.Clock.Advance(TimeSpan.FromSeconds(1));
            return !_pipeline.Lane.Model.IsLost;
        });
        Assert.Equal(3, loads);
        Assert.Null((await _pipeline.Send(11)).Failure);
    }

    [Fact]
    public async Task Detect_ModelFails_SaysSoAndLeavesNothing()
    {
        await _pipeline.StartAsync();
        var failing = _pipeline.Send(10);
        (await _pipeline.Detector.NextRunAsync()).Fail(new ModelFailureException("broken"));
        var failure = (await failing).Failure;
        Assert.Equal((FailureKind.ModelFailure, "broken"), (failure!.Kind, failure.Detail));
        Assert.IsType<ModelFailureException>(failure.Cause);
        Assert.Equal(0, _pipeline.Lane.Admitted);
    }

    private static DetectionRequest Request(ReadOnlyMemory<byte> image) => new(image) { Cancellation = Cancel };
}
