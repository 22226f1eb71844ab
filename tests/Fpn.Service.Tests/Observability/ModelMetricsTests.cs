using System.Diagnostics.Metrics;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Imaging.Codecs;
using Fpn.Models.Detectors;
using Fpn.Service.Observability;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Fakes;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Service.Tests.Observability;

/// <summary>Recording: for every outcome, for models that come and go, and without garbage.</summary>
public sealed class ModelMetricsTests : IAsyncDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection()
        .AddMetrics()
        .AddTelemetry(new TelemetryOptions(), new ConfigurationBuilder().Build())
        .BuildServiceProvider();

    private readonly Scraper _scraper;
    private readonly FakeDetector _detector = new() { RunsFreely = true };
    private readonly DetectionMetrics _metrics;
    private readonly LaneRegistry _lanes;

    public ModelMetricsTests()
    {
        var factory = _services.GetRequiredService<IMeterFactory>();
        _metrics = new DetectionMetrics(factory);
        _lanes = new LaneRegistry(
            new FakePackages(("fake", () => _detector)),
            new BatchingOptions { MaxBatchSize = 4 },
            _metrics,
            TimeProvider.System,
            NullLogger<LaneRegistry>.Instance);
        _scraper = new Scraper(_services);
        _ = new LaneGauges(_lanes, factory);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        await _lanes.DisposeAsync();
        await _services.DisposeAsync();
    }

    [Fact]
    public async Task RecordAnswer_EveryFailure_IsCountedUnderADocumentedReason()
    {
        var documented = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, "docs", "errors.md"), Cancel);
        var model = _metrics.ForModel(_detector.Contract);
        foreach (var row in FailureTable.Rows.Where(row => row.Outcome is not null))
        {
            model.RecordAnswer(new DetectionFailure(row.Kind, "detail"));
            if (row.Outcome != "canceled")
            {
                Assert.Contains($"`{row.Name}`", documented, StringComparison.Ordinal);
            }

            Assert.Equal(1, await RequestsAsync(row.Outcome!, row.Name));
        }
    }

    [Fact]
    public async Task RecordException_EveryKind_IsCounted()
    {
        var model = _metrics.ForModel(_detector.Contract);
        foreach (var (exception, outcome, reason) in ((Exception, string, string)[])[
            (new TaskCanceledException(), "canceled", "client-closed-request"),
            (new InvalidOperationException("a defect"), "failed", "internal-error")])
        {
            var before = await RequestsAsync(outcome, reason);
            model.RecordException(FailureReason.FromException(exception));
            Assert.Equal(before + 1, await RequestsAsync(outcome, reason));
        }
    }

    /// <summary>Half of the batch's pixels are padding: two images of 32 by 32 in 32 by 64.</summary>
    [Fact]
    public async Task RecordBatch_Padded_CountsThePadding()
    {
        using var batch = Batch(new ImageSize(32, 64), 2);
        _metrics.ForModel(_detector.Contract).RecordBatch(batch, TimeSpan.FromMilliseconds(3));
        var scraped = await ScrapeAsync();
        Assert.Equal(2, scraped.Value("fpn_inferences_total", ("model", "fake")));
        Assert.Equal(1, scraped.Value("fpn_executions_total", ("model", "fake")));
        Assert.Equal(4096, scraped.Value("fpn_batch_pixels_total", ("model", "fake")));
        Assert.Equal(2048, scraped.Value("fpn_batch_padding_pixels_total", ("model", "fake")));
        Assert.Equal(0.5, scraped.Value("fpn_batch_padding_ratio_sum", ("model", "fake")));
        Assert.Equal(0.003, scraped.Value("fpn_execution_duration_seconds_sum", ("model", "fake")));
    }

    /// <summary>Two images of 32 by 32 and a blank one that no client sent: all of that one is padding.</summary>
    [Fact]
    public async Task RecordBatch_FilledUp_CountsBlankImagesAsPaddingOnly()
    {
        var size = new ImageSize(32, 32);
        using var batch = new PreparedBatch(
            ImageBatch.Rent(3, size), [new ImageGeometry(size, size, size), new ImageGeometry(size, size, size)]);
        _metrics.ForModel(_detector.Contract).RecordBatch(batch, TimeSpan.FromMilliseconds(3));
        var scraped = await ScrapeAsync();
        Assert.Equal(2, scraped.Value("fpn_inferences_total", ("model", "fake")));
        Assert.Equal(2, scraped.Value("fpn_batch_size_sum", ("model", "fake")));
        Assert.Equal(3072, scraped.Value("fpn_batch_pixels_total", ("model", "fake")));
        Assert.Equal(1024, scraped.Value("fpn_batch_padding_pixels_total", ("model", "fake")));
    }

    [Fact]
    public async Task Gauges_ShapesThatWereNotWarm_AreCountedByGraph()
    {
        await _lanes.StartAsync();
        _detector.UnwarmedShapes = new Dictionary<string, long> { ["backbone"] = 2, ["head"] = 3 };
        var scraped = await ScrapeAsync();
        Assert.Equal(2, scraped.Value("fpn_shapes_unwarmed_total", ("model", "fake"), ("graph", "backbone")));
        Assert.Equal(3, scraped.Value("fpn_shapes_unwarmed_total", ("model", "fake"), ("graph", "head")));
    }

    /// <summary>A model with one graph has no proposals and no head of its own.</summary>
    [Fact]
    public async Task RecordAnswer_OneGraph_HasNoSamplesOfTheOtherStages()
    {
        _metrics.ForModel(_detector.Contract).RecordAnswer(Answer(new InferenceTimes(TimeSpan.FromSeconds(1))));
        var counts = (await ScrapeAsync()).Find("fpn_stage_duration_seconds_count");
        Assert.Equal(
            ["decode", "queue", "preprocess", "backbone", "postprocess"],
            counts.Select(count => count.Labels["stage"]));
    }

    [Fact]
    public async Task Gauges_ModelComesAndGoes_FollowIt()
    {
        Assert.Empty((await ScrapeAsync()).Find("fpn_model_info"));
        await _lanes.StartAsync();
        var served = await ScrapeAsync();
        Assert.Equal(
            1, served.Value("fpn_model_info", ("model", "fake"), ("provider", "cpu"), ("max_batch_size", "4")));

        Assert.True(_lanes.TryTake("fake", out var use));
        Assert.True(use.Lane.TryEnter());
        Assert.Equal(1, (await ScrapeAsync()).Value("fpn_requests_in_flight", ("model", "fake"), ("version", "1")));

        // Unloaded, it still answers the one; then nothing is left of it.
        Assert.True(await _lanes.UnloadAsync("fake"));
        var between = await ScrapeAsync();
        Assert.Empty(between.Find("fpn_model_info"));
        Assert.Equal(1, between.Value("fpn_requests_in_flight", ("model", "fake")));
        use.Lane.Leave();
        use.Dispose();
        await Eventually.TrueAsync(() => _lanes.Working.Count == 0);
        Assert.Empty((await ScrapeAsync()).Find("fpn_requests_in_flight"));
    }

    [Fact]
    public async Task Gauges_SameVersionLoadedAgain_AreSummedUp()
    {
        await _lanes.StartAsync();
        Assert.True(_lanes.TryTake("fake", out var old));
        Assert.True(old.Lane.TryEnter());
        Assert.Null(await _lanes.LoadAsync("fake"));
        Assert.True(_lanes.TryTake("fake", out var @new));
        Assert.True(@new.Lane.TryEnter());
        Assert.Equal(2, (await ScrapeAsync()).Value("fpn_requests_in_flight", ("model", "fake")));
        foreach (var use in new[] { old, @new })
        {
            use.Lane.Leave();
            use.Dispose();
        }
    }

    /// <summary>What is recorded for every image, with a provider and a collector that aggregate it.</summary>
    [Fact]
    public void Record_ManyTimes_AllocatesNothing()
    {
        using var collector = new StatisticsCollector(_metrics, TimeProvider.System);
        var model = _metrics.ForModel(_detector.Contract);
        using var batch = Batch(new ImageSize(32, 64), 2);
        var parts = new InferenceTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        Result<DetectionResult> answer = Answer(parts);
        Result<DetectionResult> refused = new DetectionFailure(FailureKind.QueueFull, "full");

        // What recording allocates, it allocates in every round; the compiler, which optimizes meanwhile, in some.
        Assert.Equal(0, Enumerable.Range(0, 20).Min(_ => Allocated()));
        Assert.Equal(20_000, collector.TotalsFor(_detector.Contract).Success.Count);

        long Allocated()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Record(1000);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        void Record(int times)
        {
            for (var i = 0; i < times; i++)
            {
                model.RecordAnswer(answer);
                model.RecordAnswer(refused);
                model.RecordBatch(batch, TimeSpan.FromMilliseconds(3));
            }
        }
    }

    /// <summary>
    /// Two images of a batch: 3 ms waiting and 1 ms decoding for each, 2 ms preparing both, 6 s on the device, 4 ms
    /// choosing for each.
    /// </summary>
    [Fact]
    public void Collector_BatchOfTwo_CountsTheRunOnceAndTheImagesTwice()
    {
        using var collector = new StatisticsCollector(_metrics, TimeProvider.System);
        var model = _metrics.ForModel(_detector.Contract);
        using var batch = Batch(new ImageSize(32, 64), 2);
        model.RecordBatch(batch, TimeSpan.FromSeconds(6));
        var parts = new InferenceTimes(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(3));
        model.RecordAnswer(Answer(parts, batchSize: 2));
        model.RecordAnswer(Answer(parts, batchSize: 2));
        model.RecordException(FailureReason.ClientClosed);

        var totals = collector.TotalsFor(_detector.Contract);
        Assert.Equal((2, 14_000_000_000), Sums(totals.Success));
        Assert.Equal((1, 0), Sums(totals.Failure));
        Assert.Equal((2, 6_000_000), Sums(totals.Queue));
        Assert.Equal((2, 6_000_000), Sums(totals.Input));
        Assert.Equal((2, 12_000_000_000), Sums(totals.Inference));
        Assert.Equal((2, 8_000_000), Sums(totals.Output));
        Assert.Equal((1, 6_000_000_000), Sums(totals.Runs));
        Assert.Equal(2, totals.Images.Count);
        var (size, batches) = Assert.Single(totals.Batches);
        Assert.Equal(2, size);
        Assert.Equal((1, 6_000_000_000), Sums(batches.Runs));
        Assert.Equal((2, 4_000_000), Sums(batches.Input));
        Assert.Equal((2, 8_000_000), Sums(batches.Output));

        static (long Count, long Nanoseconds) Sums(MeasuredTotal total) => (total.Count, total.Nanoseconds);
    }

    private static DetectionResult Answer(InferenceTimes parts, int batchSize = 1) => new()
    {
        Size = new ImageSize(480, 640),
        Format = ImageFormat.Jpeg,
        Times = new StageTimes(
            Decode: TimeSpan.FromMilliseconds(1),
            Preprocess: TimeSpan.FromMilliseconds(2),
            Queue: TimeSpan.FromMilliseconds(3),
            Inference: TimeSpan.FromSeconds(6),
            parts,
            Postprocess: TimeSpan.FromMilliseconds(4),
            Total: TimeSpan.FromSeconds(7)),
        BatchSize = batchSize,
    };

    private static PreparedBatch Batch(ImageSize padded, int count)
    {
        var own = new ImageSize(32, 32);
        var geometries = Enumerable.Repeat(new ImageGeometry(own, own, own), count);
        return new PreparedBatch(ImageBatch.Rent(count, padded), [.. geometries]);
    }

    private async Task<double> RequestsAsync(string outcome, string reason) =>
        (await ScrapeAsync()).Value("fpn_requests_total", ("outcome", outcome), ("reason", reason));

    private async Task<ScrapedMetrics> ScrapeAsync() => ScrapedMetrics.Parse(await _scraper.ScrapeAsync());
}
