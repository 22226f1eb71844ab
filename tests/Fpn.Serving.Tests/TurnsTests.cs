using System.Collections.Concurrent;
using Fpn.Detection.Geometry;
using Fpn.Detection.Views;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>How images get their places in a queue that has nine: those of one request take turns where they have no
/// room beside each other, and their views count once they are admitted. Images are 16 pixels high.</summary>
[Collection(Alone.Collection)]
public sealed class TurnsTests : IAsyncDisposable
{
    /// <summary>A view for each 32 columns.</summary>
    private static readonly ViewOptions Slices =
        new() { Slice = new ImageSize(32, 32), Overlap = 0, WholeImage = false };

    private readonly TestPipeline _pipeline = new();
    private readonly ConcurrentQueue<int> _counted = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _pipeline.DisposeAsync();

    /// <summary>What is refused takes no place, not even for a moment: the other image always has its own.</summary>
    [Fact]
    public async Task TryEnter_BesideOnesThatAreRefused_AlwaysFits()
    {
        await _pipeline.StartAsync();
        var lane = _pipeline.Lane;
        using var both = new Barrier(2);
        var refused = Task.Run(() => Repeat(() => !lane.TryEnter(100)), Cancel);
        var admitted = Task.Run(
            () => Repeat(() =>
            {
                var entered = lane.TryEnter();
                lane.Leave(entered ? 1 : 0);
                return entered;
            }),
            Cancel);
        var held = await Task.WhenAll(refused, admitted);
        Assert.Equal([300_000, 300_000], held);

        int Repeat(Func<bool> holds)
        {
            both.SignalAndWait(Cancel);
            return Enumerable.Range(0, 300_000).Count(_ => holds());
        }
    }

    [Theory]
    [InlineData(8)]
    [InlineData(9)]
    public async Task Detect_ImagesThatDoNotFitTogether_WaitWithoutAPlaceUntilTheDeadline(int views)
    {
        await _pipeline.StartAsync();
        var turns = new ImageTurns();
        var answers = Enumerable.Range(0, 4).Select(_ => Send(views, turns)).ToList();
        var run = await _pipeline.Detector.NextRunAsync();

        // One is in the queue; the others hold nothing.
        Assert.Equal(views, _pipeline.Lane.Admitted);
        Assert.All(answers, answer => Assert.False(answer.IsCompleted));
        Assert.Equal([views], _counted);
        _pipeline.Clock.Advance(TimeSpan.FromSeconds(31));
        Assert.All(
            await Task.WhenAll(answers), answer => Assert.Equal(FailureKind.DeadlinePassed, answer.Failure?.Kind));
        run.End();
        _pipeline.Detector.RunOut();
    }

    [Fact]
    public async Task Detect_OneOfThemIsAnswered_TheNextHasItsTurn()
    {
        await _pipeline.StartAsync();
        var turns = new ImageTurns();
        var answers = Enumerable.Range(0, 4).Select(_ => Send(9, turns)).ToList();
        Assert.Equal(9, _pipeline.Lane.Admitted);
        _pipeline.Detector.RunOut();
        Assert.All(await Task.WhenAll(answers), answer => Assert.Equal(9, answer.Value?.ViewCount));
        Assert.Equal([9, 9, 9, 9], _counted);
    }

    [Fact]
    public async Task Detect_PlainImagesMoreThanTheQueueHolds_TakeTurns()
    {
        await _pipeline.StartAsync();
        var turns = new ImageTurns();
        var answers = Enumerable.Range(0, 20).Select(_ => Send(1, turns)).ToList();
        Assert.Equal(9, _pipeline.Lane.Admitted);
        _pipeline.Detector.RunOut();
        Assert.All(await Task.WhenAll(answers), answer => Assert.True(answer.Succeeded));
    }

    /// <summary>Waiting helps only where the others are one's own.</summary>
    [Fact]
    public async Task Detect_OthersFillTheQueue_IsRefusedAtOnce()
    {
        await _pipeline.StartAsync();
        var other = Send(8, turns: null);
        var turns = new ImageTurns();
        Assert.Equal(FailureKind.QueueFull, (await Send(2, turns)).Failure?.Kind);
        var fits = Send(1, turns);
        Assert.Equal(FailureKind.QueueFull, (await Send(1, new ImageTurns())).Failure?.Kind);
        Assert.Equal([8, 1], _counted);
        _pipeline.Detector.RunOut();
        Assert.True((await fits).Succeeded);
        Assert.True((await other).Succeeded);
    }

    [Fact]
    public async Task Detect_CallerLeavesWhileItWaits_EndsTheWait()
    {
        await _pipeline.StartAsync();
        var turns = new ImageTurns();
        using var gone = new CancellationTokenSource();
        var first = Send(8, turns);
        var waits = Send(8, turns, gone.Token);
        Assert.False(waits.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        _pipeline.Detector.RunOut();
        Assert.True((await first).Succeeded);
    }

    [Fact]
    public async Task Detect_ViewFails_HasBeenCountedAllTheSame()
    {
        await _pipeline.StartAsync();
        _pipeline.Detector.PoisonedWidths.Add(32);
        var answer = Send(3, turns: null);
        _pipeline.Detector.RunOut();
        Assert.Equal(FailureKind.NonFiniteOutput, (await answer).Failure?.Kind);
        Assert.Equal([3], _counted);
    }

    private Task<Result<DetectionResult>> Send(int views, ImageTurns? turns, CancellationToken? gone = null) =>
        _pipeline.Send(
            new DetectionRequest(Pictures.Png(32 * views, 16))
            {
                Views = Slices,
                Admitted = _counted.Enqueue,
                Cancellation = gone ?? Cancel,
            },
            turns);
}
