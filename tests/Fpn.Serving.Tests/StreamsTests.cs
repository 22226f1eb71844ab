using Fpn.Models.Execution.Devices;
using Fpn.Testing.Fakes;

namespace Fpn.Serving.Tests;

/// <summary>A device that runs two batches at the same time, as a GPU does.</summary>
public sealed class StreamsTests : IAsyncDisposable
{
    private readonly TestBatcher _batcher = new(streams: 2);
    private readonly FakeDetector _reloaded = new() { RunsFreely = true };

    public StreamsTests()
    {
        _batcher.Reload = () => _reloaded;
        _batcher.Start(maxBatchSize: 2);
    }

    public async ValueTask DisposeAsync()
    {
        await _batcher.DisposeAsync();
        _reloaded.Dispose();
    }

    [Fact]
    public async Task Infer_OneRuns_TheNextBeginsBesideIt()
    {
        var first = _batcher.Send(11);
        var firstRun = await _batcher.Detector.NextRunAsync();
        var second = _batcher.Send(12);
        var secondRun = await _batcher.Detector.NextRunAsync();

        secondRun.End();
        Assert.Equal(12, (await second).Detections[0].Score);
        Assert.False(first.IsCompleted);
        firstRun.End();
        Assert.Equal(11, (await first).Detections[0].Score);
    }

    [Fact]
    public async Task Infer_TwoRun_AThirdBatchIsPreparedOnceItIsFull()
    {
        var (runs, running) = await _batcher.OccupyBothStreamsAsync();
        await _batcher.Detector.NextPreparedAsync();
        await _batcher.Detector.NextPreparedAsync();

        var waiting = _batcher.Send(21);
        Assert.Equal(1, _batcher.Batcher.Waiting);
        var filling = _batcher.Send(22);

        Assert.Equal(2, await _batcher.Detector.NextPreparedAsync());
        Assert.All(runs, run => Assert.Single(run.Widths));
        runs[0].End();
        (await _batcher.Detector.NextRunAsync()).End();
        Assert.Equal([21, 22], (await Task.WhenAll(waiting, filling)).Select(image => (int)image.Detections[0].Score));
        runs[1].End();
        await Task.WhenAll(running);
    }

    [Fact]
    public async Task Infer_RunsSideBySide_CountTheTimeThatTheyTookTogether()
    {
        var (runs, answers) = await _batcher.OccupyBothStreamsAsync();
        _batcher.Clock.Advance(TimeSpan.FromMilliseconds(100));
        runs[0].End();
        await Task.WhenAny(answers);
        runs[1].End();
        await Task.WhenAll(answers);

        // 100 ms and, at the same moment, none: the second weighs a fifth.
        Assert.Equal(80, _batcher.Batcher.Rate.PerImage!.Value.TotalMilliseconds, 0.001);
    }

    [Fact]
    public async Task Infer_DeviceLostWhileAnotherRuns_FreesTheSessionsAfterBoth()
    {
        var lost = _batcher.Send(11);
        var lostRun = await _batcher.Detector.NextRunAsync();
        var other = _batcher.Send(12);
        var otherRun = await _batcher.Detector.NextRunAsync();

        lostRun.Fail(new DeviceLostException("gone"));
        await Assert.ThrowsAsync<DeviceLostException>(() => lost);
        Assert.Equal(0, _batcher.Detector.Disposals);
        Assert.Equal(13, (await _batcher.Send(13)).Detections[0].Score);

        otherRun.Fail(new DeviceLostException("gone, too"));
        await Assert.ThrowsAsync<DeviceLostException>(() => other);
        Assert.Equal(1, _batcher.Detector.Disposals);
        Assert.Equal(14, (await _batcher.Send(14)).Detections[0].Score);
        Assert.Equal(0, _reloaded.Disposals);
    }
}
