using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>Deadlines: those that pass, wherever the image is then, and those that cannot be met.</summary>
[Collection(Alone.Collection)]
public sealed class DetectionDeadlineTests : IAsyncDisposable
{
    private readonly TestPipeline _pipeline = new();

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    [Fact]
    public async Task Detect_DeadlinePassesWhileQueued_IsAnsweredAndNotComputed()
    {
        _pipeline.Options.MaxBatchSize = 4;
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11, timeout: TimeSpan.FromSeconds(1));
        var third = _pipeline.Send(12);
        await Eventually.TrueAsync(() => _pipeline.Lane.Batcher.Waiting == 2);
        _pipeline.Clock.Advance(TimeSpan.FromMilliseconds(999));
        Assert.False(second.IsCompleted);
        _pipeline.Clock.Advance(TimeSpan.FromMilliseconds(1));
        var late = await second;
        Assert.Equal(FailureKind.DeadlinePassed, late.Failure?.Kind);
        Assert.Contains("1000 ms passed", late.Failure!.Detail, StringComparison.Ordinal);
        Assert.Equal(1, _pipeline.Lane.Batcher.Waiting);

        run.End();
        await _pipeline.EndNextAsync(12);
        Assert.Null((await first).Failure);
        Assert.Null((await third).Failure);
    }

    [Fact]
    public async Task Detect_DeadlinePassesOnTheDevice_IsAnsweredWithoutWaitingForIt()
    {
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        _pipeline.Clock.Advance(_pipeline.Options.Deadline);
        Assert.Equal(FailureKind.DeadlinePassed, (await first).Failure?.Kind);
        Assert.Equal(TestPipeline.ImageBytes, _pipeline.Bytes.Used);
        run.End();
        await Eventually.TrueAsync(() => _pipeline.Bytes.Used == 0);
    }

    [Fact]
    public async Task Detect_DeadlineCannotBeMet_IsRefusedAtOnceAndNotDecoded()
    {
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var refused = _pipeline.Send(11, timeout: TimeSpan.FromMilliseconds(199));
        Assert.True(refused.IsCompleted);
        var result = await refused;
        Assert.Equal(FailureKind.DeadlinePassed, result.Failure?.Kind);
        Assert.Contains("199 ms cannot be met", result.Failure!.Detail, StringComparison.Ordinal);
        Assert.Contains("200 ms", result.Failure!.Detail, StringComparison.Ordinal);
        Assert.Equal((1, TestPipeline.ImageBytes), (_pipeline.Lane.Admitted, _pipeline.Bytes.Used));

        var inTime = _pipeline.Send(12, timeout: TimeSpan.FromMilliseconds(201));
        run.End();
        Assert.Null((await first).Failure);
        await _pipeline.EndNextAsync(12);
        Assert.Null((await inTime).Failure);
    }

    /// <summary>After a stall of an hour the estimate refuses every deadline, and only a run can correct it.</summary>
    [Fact]
    public async Task Detect_IdleAfterAStall_RunsWhateverTheEstimateSays()
    {
        await _pipeline.StartAsync();
        _pipeline.Detector.RunsFreely = true;
        var stalled = true;
        _pipeline.Detector.DuringRun =
            _ => _pipeline.Clock.Advance(stalled ? TimeSpan.FromHours(1) : TestPipeline.PerImage);
        Assert.Equal(FailureKind.DeadlinePassed, (await _pipeline.Send(10)).Failure?.Kind);
        await Eventually.TrueAsync(() => _pipeline.Lane.Batcher.Rate.TimeFor(1) > _pipeline.Options.Deadline);
        stalled = false;
        Assert.Null((await _pipeline.Send(11)).Failure);
    }

    [Fact]
    public async Task Detect_TimeoutLongerThanTheDeadline_DoesNotLengthenIt()
    {
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11, timeout: TimeSpan.FromHours(1));
        _pipeline.Clock.Advance(_pipeline.Options.Deadline);
        Assert.Equal(FailureKind.DeadlinePassed, (await second).Failure?.Kind);
        Assert.Equal(FailureKind.DeadlinePassed, (await first).Failure?.Kind);
        run.End();
    }

    [Fact]
    public async Task Detect_DeadlinePassesWhileWaitingForMemory_IsAnswered()
    {
        _pipeline.Bytes = new ByteBudget(TestPipeline.ImageBytes);
        await _pipeline.StartAsync();
        var (run, first) = await _pipeline.OccupyAsync();
        var second = _pipeline.Send(11, timeout: TimeSpan.FromSeconds(1));
        _pipeline.Clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(FailureKind.DeadlinePassed, (await second).Failure?.Kind);
        Assert.Equal(1, _pipeline.Lane.Admitted);
        run.End();
        Assert.Null((await first).Failure);
    }
}
