using System.Diagnostics.Metrics;
using Fpn.Models.Packages;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Serving.Tests;

/// <summary>What is counted for images that are given up, and for what a model cannot do.</summary>
[Collection(Alone.Collection)]
public sealed class RequestOutcomeTests : IAsyncDisposable
{
    private readonly TestPipeline _pipeline = new(CreateEndToEnd());
    private readonly List<string> _counted = [];
    private readonly MeterListener _listener;
    private int _runs;

    public RequestOutcomeTests() => _listener = _pipeline.Listen("fpn.requests", (_, value, tags, _) =>
    {
        if (value > 0)
        {
            _counted.Add(string.Join(' ', tags.ToArray()[^2..].Select(tag => tag.Value)));
        }
    });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task Detect_ExplainOfAModelInOneGraph_IsRefusedBeforeItRuns()
    {
        await StartAsync();
        var result = await DetectAsync(Cancel, default, explain: true);
        Assert.Equal(FailureKind.NotExplainable, result.Failure?.Kind);
        Assert.Contains("'fake' decides inside its graph", result.Failure!.Detail, StringComparison.Ordinal);
        Assert.Equal(0, _runs);
        Assert.Equal(0, _pipeline.Lane.Admitted);
        Assert.Equal(["refused bad-parameter"], _counted);
    }

    [Fact]
    public async Task Detect_WithoutExplain_IsAnswered()
    {
        await StartAsync();
        _pipeline.Detector.RunsFreely = true;
        Assert.Null((await DetectAsync(Cancel, default)).Failure);
        Assert.Equal(1, _runs);
        Assert.Equal(["success none"], _counted);
    }

    [Fact]
    public async Task Detect_GivenUp_IsNotCountedAsAClientThatLeft()
    {
        await StartAsync();
        using var givenUp = new CancellationTokenSource();
        var answer = DetectAsync(Cancel, givenUp.Token);
        var run = await _pipeline.Detector.NextRunAsync();
        await givenUp.CancelAsync();
        Assert.Equal(FailureKind.GivenUp, (await answer).Failure?.Kind);
        Assert.Equal(["canceled request-given-up"], _counted);
        run.End();
    }

    [Fact]
    public async Task Detect_ClientLeavesAndTheRestIsGivenUpForIt_IsCountedAsAClientThatLeft()
    {
        await StartAsync();
        using var gone = new CancellationTokenSource();
        using var givenUp = new CancellationTokenSource();
        var answer = DetectAsync(gone.Token, givenUp.Token);
        var run = await _pipeline.Detector.NextRunAsync();
        await gone.CancelAsync();
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal(["canceled client-closed-request"], _counted);
        run.End();
    }

    private static FakeDetector CreateEndToEnd()
    {
        using var plain = new FakeDetector();
        return new FakeDetector { Contract = plain.Contract with { Layout = ModelLayout.EndToEnd } };
    }

    private async Task StartAsync()
    {
        await _pipeline.StartAsync();
        _pipeline.Detector.DuringRun += _ => Interlocked.Increment(ref _runs);
    }

    private Task<Result<DetectionResult>> DetectAsync(
        CancellationToken gone, CancellationToken givenUp, bool explain = false) =>
        _pipeline.Send(new DetectionRequest(Pictures.Png(10, 16))
        {
            Explain = explain,
            Cancellation = gone,
            GivenUp = givenUp,
        });
}
