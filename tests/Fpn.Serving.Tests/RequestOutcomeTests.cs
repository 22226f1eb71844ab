using System.Diagnostics.Metrics;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Vips;
using Fpn.Models.Packages;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Serving.Tests;

/// <summary>What is counted for images that are given up, and for what a model cannot do.</summary>
[Collection(Alone.Collection)]
public sealed class RequestOutcomeTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly BatchingOptions _options = new() { MaxBatchSize = 2 };
    private readonly DecoderSlots _slots = new(1);
    private readonly List<string> _counted = [];
    private readonly MeterListener _listener;
    private readonly FakeDetector _detector;
    private readonly LaneRegistry _lanes;
    private readonly DetectionPipeline _pipeline;
    private int _runs;

    public RequestOutcomeTests()
    {
        using var plain = new FakeDetector();
        _detector = new FakeDetector
        {
            RunsFreely = true,
            Contract = plain.Contract with { Layout = ModelLayout.EndToEnd },
            DuringRun = _ => Interlocked.Increment(ref _runs),
        };
        var meters = _services.GetRequiredService<IMeterFactory>();
        _listener = Counted.Listen(meters, "fpn.requests", (_, value, tags, _) =>
        {
            if (value > 0)
            {
                _counted.Add(string.Join(' ', tags.ToArray()[^2..].Select(tag => tag.Value)));
            }
        });
        _lanes = new LaneRegistry(
            new FakePackages(("fake", () => _detector)),
            _options,
            new DetectionMetrics(meters),
            TimeProvider.System,
            NullLogger<LaneRegistry>.Instance);
        _pipeline = new DetectionPipeline(
            new ImageDecoder(10_000_000, new VipsCodec()), new ByteBudget(1 << 20), _options, _slots, TimeProvider.System);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        await _lanes.DisposeAsync();
        _listener.Dispose();
        _slots.Dispose();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task Detect_ExplainOfAModelInOneGraph_IsRefusedBeforeItRuns()
    {
        await StartAsync();
        var result = await DetectAsync(Cancel, default, explain: true);
        Assert.Equal(FailureKind.NotExplainable, result.Failure?.Kind);
        Assert.Contains("'fake' decides inside its graph", result.Failure!.Detail, StringComparison.Ordinal);
        Assert.Equal(0, _runs);
        Assert.Equal(0, _lanes.Lanes[0].Admitted);
        Assert.Equal(["refused bad-parameter"], _counted);
    }

    [Fact]
    public async Task Detect_WithoutExplain_IsAnswered()
    {
        await StartAsync();
        Assert.Null((await DetectAsync(Cancel, default)).Failure);
        Assert.Equal(1, _runs);
        Assert.Equal(["success none"], _counted);
    }

    [Fact]
    public async Task Detect_GivenUp_IsNotCountedAsAClientThatLeft()
    {
        await StartAsync();
        using var givenUp = new CancellationTokenSource();
        _detector.RunsFreely = false;
        var answer = DetectAsync(Cancel, givenUp.Token);
        var run = await _detector.NextRunAsync();
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
        _detector.RunsFreely = false;
        var answer = DetectAsync(gone.Token, givenUp.Token);
        var run = await _detector.NextRunAsync();
        await gone.CancelAsync();
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
        Assert.Equal(["canceled client-closed-request"], _counted);
        run.End();
    }

    private async Task StartAsync()
    {
        await _lanes.StartAsync();
        _detector.Forget();
        _runs = 0;
    }

    private Task<Result<DetectionResult>> DetectAsync(CancellationToken gone, CancellationToken givenUp, bool explain = false) =>
        _pipeline.DetectAsync(
            _lanes.Lanes[0],
            new DetectionRequest(Pictures.Png(10, 16)) { Explain = explain, Cancellation = gone, GivenUp = givenUp });
}
