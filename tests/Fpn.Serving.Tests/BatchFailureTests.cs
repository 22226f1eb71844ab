using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Devices;
using Fpn.Testing.Fakes;

namespace Fpn.Serving.Tests;

/// <summary>Requests that are given up, images and runs that fail, and a device that is lost: which requests fail, and
/// which are answered all the same.</summary>
public sealed class BatchFailureTests : IAsyncDisposable
{
    private readonly TestBatcher _batcher = new(streams: 1);

    public ValueTask DisposeAsync() => _batcher.DisposeAsync();

    [Fact]
    public async Task Infer_CancelledWhileQueued_IsNotComputed()
    {
        _batcher.Start(4);
        var (first, _) = await _batcher.OccupyAsync();
        using var gone = new CancellationTokenSource();
        var cancelled = _batcher.Send(11, gone: gone);
        var kept = _batcher.Send(12);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        first.End();

        var second = await _batcher.Detector.NextRunAsync();
        second.End();
        Assert.Equal([12], second.Widths);
        await kept;
    }

    [Fact]
    public async Task Infer_CancelledOnTheDevice_IsAnsweredAtOnceAndTheOthersToo()
    {
        _batcher.Start(4);
        var (first, _) = await _batcher.OccupyAsync();
        using var gone = new CancellationTokenSource();
        var cancelled = _batcher.Send(11, gone: gone);
        var kept = _batcher.Send(12);
        first.End();
        var second = await _batcher.Detector.NextRunAsync();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        second.End();
        Assert.Equal(12, (await kept).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_PoisonedRequest_FailsAlone()
    {
        _batcher.Detector.PoisonedWidths.Add(12);
        _batcher.Start(4);
        var (first, _) = await _batcher.OccupyAsync();
        var answers = new[] { _batcher.Send(11), _batcher.Send(12), _batcher.Send(13) };
        _batcher.Detector.RunsFreely = true;
        first.End();

        await Assert.ThrowsAsync<NonFiniteOutputException>(() => answers[1]);
        Assert.Equal(11, (await answers[0]).Detections[0].Score);
        Assert.Equal(13, (await answers[2]).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_RunThatFailsForOneImage_IsRetriedOneByOne()
    {
        _batcher.Detector.FatalWidths.Add(12);
        _batcher.Start(4);
        var (first, _) = await _batcher.OccupyAsync();
        var answers = new[] { _batcher.Send(11), _batcher.Send(12), _batcher.Send(13) };
        _batcher.Detector.RunsFreely = true;
        first.End();

        await Assert.ThrowsAsync<ModelFailureException>(() => answers[1]);
        Assert.Equal(11, (await answers[0]).Detections[0].Score);
        Assert.Equal(13, (await answers[2]).Detections[0].Score);
        Assert.Equal([11, 12, 13], (await _batcher.Detector.NextRunAsync()).Widths);
        Assert.Equal([11], (await _batcher.Detector.NextRunAsync()).Widths);
        Assert.Equal([12], (await _batcher.Detector.NextRunAsync()).Widths);
        Assert.Equal([13], (await _batcher.Detector.NextRunAsync()).Widths);
    }

    [Fact]
    public async Task Infer_FailingModel_FailsTheRequestAndServesTheNext()
    {
        _batcher.Start(1);
        var failing = _batcher.Send(11);
        (await _batcher.Detector.NextRunAsync()).Fail(new ModelFailureException("broken"));
        await Assert.ThrowsAsync<ModelFailureException>(() => failing);

        var next = _batcher.Send(12);
        (await _batcher.Detector.NextRunAsync()).End();
        Assert.Equal(12, (await next).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_DeviceLost_AnswersSoCountsItAndLoadsTheModelAgain()
    {
        long losses = 0;
        using var listener = _batcher.Listen("fpn.device.lost", value => losses += value);
        var second = new FakeDetector { RunsFreely = true };
        _batcher.Reload = () => second;
        _batcher.Start(1);
        var lost = _batcher.Send(11);
        (await _batcher.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);

        var next = await _batcher.Send(12);
        Assert.Equal(12, next.Detections[0].Score);
        Assert.Equal(1, _batcher.Detector.Disposals);
        Assert.Equal(1, losses);
    }

    [Fact]
    public async Task Infer_DeviceStaysLost_AnswersSoUntilTheModelLoads()
    {
        var second = new FakeDetector { RunsFreely = true };
        var loads = 0;
        _batcher.Reload = () => ++loads < 2 ? throw new InvalidOperationException("still gone") : second;
        _batcher.Start(1);
        var lost = _batcher.Send(11);
        (await _batcher.Detector.NextRunAsync()).Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        await Assert.ThrowsAsync<DeviceLostException>(() => _batcher.Send(12));
        Assert.Equal(13, (await _batcher.Send(13)).Detections[0].Score);
    }
}
