using System.Globalization;
using Fpn.Testing.Metrics;

namespace Fpn.Service.Tests.Observability;

/// <summary>What <c>/metrics</c> says after known requests.</summary>
public sealed class MetricsEndpointTests(MetricsFixture fixture) : IClassFixture<MetricsFixture>
{
    private static readonly string[] Stages =
        ["decode", "queue", "preprocess", "backbone", "proposals", "head", "postprocess"];

    private ScrapedMetrics Scraped => fixture.Scraped;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_Served_IsPrometheusText()
    {
        using var response = await fixture.Service.Client.GetAsync("metrics", Cancel);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        Assert.StartsWith("# TYPE ", await response.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_Served_PassesPromtool()
    {
        PrometheusTools.Require();
        var (code, output) = await PrometheusTools.RunPromtoolAsync(fixture.Text, "check", "metrics");
        Assert.True(code == 0 && output.Length == 0, output);
    }

    [Fact]
    public void Scrape_AfterRequests_CountsThemByOutcomeAndReason()
    {
        const string Requests = "fpn_requests_total";
        Assert.Equal(
            MetricsFixture.Answered,
            Scraped.Value(
                Requests, ("model", "blood-cells"), ("version", "1"), ("outcome", "success"), ("reason", "none")));
        Assert.All(
            fixture.Refused,
            reason => Assert.Equal(1, Scraped.Value(Requests, ("outcome", "refused"), ("reason", reason))));
        Assert.Equal(
            MetricsFixture.Answered + fixture.Refused.Count, Scraped.Find(Requests).Sum(sample => sample.Value));

        // From the start, so that the first one shows as an increase.
        foreach (var reason in (string[])[
            "queue-full",
            "deadline-passed",
            "shutting-down",
            "device-lost",
            "client-closed-request",
            "request-given-up",
            "bad-parameter", "model-failure", "model-output-not-finite", "internal-error"])
        {
            Assert.Equal(0, Scraped.Value(Requests, ("reason", reason)));
        }

        Assert.Equal(1, Scraped.Value("fpn_problems_total", ("reason", "unknown-model"), ("status", "404")));
        Assert.All(fixture.Refused, reason => Assert.Equal(1, Scraped.Value("fpn_problems_total", ("reason", reason))));
    }

    [Fact]
    public void Scrape_AfterRequests_HasEveryHistogram()
    {
        foreach (var name in new[] { "fpn_request_duration_seconds", "fpn_image_pixels", "fpn_image_detections" })
        {
            Assert.Equal(
                MetricsFixture.Answered, Scraped.Value($"{name}_count", ("model", "blood-cells"), ("version", "1")));
        }

        var counts = Scraped.Find("fpn_stage_duration_seconds_count");
        Assert.Equal(Stages, counts.Select(sample => sample.Labels["stage"]));
        Assert.All(counts, sample => Assert.Equal(MetricsFixture.Answered, sample.Value));
        Assert.Equal(MetricsFixture.Answered * 480 * 640, Scraped.Value("fpn_image_pixels_sum"));

        // The parts are measured within the whole, and each of them took some time.
        var times = Scraped.Find("fpn_stage_duration_seconds_sum");
        Assert.All(times, sample => Assert.True(sample.Value > 0));
        Assert.InRange(times.Sum(sample => sample.Value), 0, Scraped.Value("fpn_request_duration_seconds_sum"));
    }

    [Fact]
    public void Scrape_AfterRequests_CountsRunsAndPixels()
    {
        // The warm-up is not counted.
        Assert.Equal(MetricsFixture.Answered, Scraped.Value("fpn_inferences_total"));
        Assert.Equal(MetricsFixture.Answered, Scraped.Value("fpn_executions_total"));
        Assert.Equal(MetricsFixture.Answered, Scraped.Value("fpn_batch_size_sum"));
        Assert.Equal(MetricsFixture.Answered * 384 * 512, Scraped.Value("fpn_batch_pixels_total"));
        Assert.Equal(0, Scraped.Value("fpn_batch_padding_pixels_total"));
        Assert.Equal(MetricsFixture.Answered, Scraped.Value("fpn_batch_padding_ratio_bucket", ("le", "0")));
        Assert.Equal(MetricsFixture.Answered, Scraped.Value("fpn_execution_duration_seconds_count"));
    }

    [Fact]
    public void Scrape_Histograms_AreCumulativeAndEndAtInfinity()
    {
        var histograms = Scraped.Types.Where(type => type.Value == "histogram").Select(type => type.Key).ToArray();
        Assert.NotEmpty(histograms);
        foreach (var name in histograms)
        {
            foreach (var series in Scraped.Find($"{name}_bucket").GroupBy(Series))
            {
                var buckets = series.ToArray();
                Assert.Equal(buckets.Select(Bound).Order(), buckets.Select(Bound));
                Assert.Equal(double.PositiveInfinity, Bound(buckets[^1]));
                Assert.Equal(buckets.Select(bucket => bucket.Value).Order(), buckets.Select(bucket => bucket.Value));
                var count = Assert.Single(Scraped.Find($"{name}_count"), count => Series(count) == series.Key);
                Assert.Equal(count.Value, buckets[^1].Value);
                Assert.Single(Scraped.Find($"{name}_sum"), sum => Series(sum) == series.Key);
            }
        }

        static double Bound(ScrapedSample bucket) => bucket.Labels["le"] == "+Inf"
            ? double.PositiveInfinity
            : double.Parse(bucket.Labels["le"], CultureInfo.InvariantCulture);

        static string Series(ScrapedSample sample) => string.Join(
            ',', sample.Labels.Where(label => label.Key != "le").OrderBy(label => label.Key, StringComparer.Ordinal));
    }

    [Fact]
    public void Scrape_Gauges_SayWhatThereIs()
    {
        Assert.Equal(0, Scraped.Value("fpn_queue_depth", ("model", "blood-cells")));
        Assert.Equal(0, Scraped.Value("fpn_requests_in_flight", ("model", "blood-cells")));
        Assert.InRange(Scraped.Value("fpn_requests_limit", ("model", "blood-cells")), 257, 256 + 64);
        Assert.Equal(1, Scraped.Value("fpn_model_ready", ("model", "blood-cells"), ("version", "1")));
        Assert.Equal(
            1,
            Scraped.Value(
                "fpn_model_info",
                ("model", "blood-cells"),
                ("version", "1"),
                ("provider", "cpu"),
                ("layout", "two-stage")));
        Assert.Equal(1, Scraped.Value("fpn_device_info", ("provider", "cpu")));
        Assert.Equal(1, Scraped.Value("fpn_ready"));
        Assert.Equal(1, Scraped.Value("fpn_build_info", ("version", "0.1.0")));
        Assert.InRange(Scraped.Value("fpn_memory_images_bytes"), 0, 1L << 40);
        Assert.InRange(Scraped.Value("dotnet_process_memory_working_set_bytes"), 1 << 20, 1L << 40);
    }

    [Theory]
    [InlineData("http_server_request_duration_seconds", "histogram")]
    [InlineData("http_server_active_requests", "gauge")]
    [InlineData("kestrel_active_connections", "gauge")]
    [InlineData("kestrel_queued_connections", "gauge")]
    [InlineData("aspnetcore_routing_match_attempts_total", "counter")]
    [InlineData("dotnet_gc_collections_total", "counter")]
    public void Scrape_BuiltInMeters_AreThere(string name, string type) => Assert.Equal(type, Scraped.Types[name]);

    [Fact]
    public async Task Get_ManyAtOnce_EachIsWhole()
    {
        var scrapes = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(
            async () => ScrapedMetrics.Parse(await fixture.Service.Client.GetStringAsync("metrics", Cancel)), Cancel)));

        // The runtime's own metrics are the process's: others may add to them meanwhile.
        Assert.All(scrapes, scrape => Assert.Equal(Ours(Scraped), Ours(scrape)));

        static string[] Ours(ScrapedMetrics metrics) =>
        [
            .. metrics.Samples.Where(sample => sample.Name.StartsWith("fpn_", StringComparison.Ordinal))
                .Select(sample => $"{sample.Name} {string.Join(',', sample.Labels)}"),
        ];
    }

    [Fact]
    public async Task Get_Served_IsNotLogged()
    {
        var log = fixture.Service.Log;
        var start = log.All.Count;
        await fixture.Service.Client.GetStringAsync("metrics", Cancel);
        using var later = await fixture.Service.Client.GetAsync("models", Cancel);
        await log.WaitForAsync(start, line => line.Contains("GET /models ", StringComparison.Ordinal), Cancel);
        Assert.DoesNotContain(log.All.Skip(start), line => line.Contains("GET /metrics", StringComparison.Ordinal));
    }
}
