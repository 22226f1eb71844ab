using System.Diagnostics.Metrics;
using Fpn.Service.Observability;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Fpn.Service.Tests.Observability;

/// <summary>The text that instruments become, by hand.</summary>
public sealed class PrometheusTextTests : IDisposable
{
    private readonly Meter _meter = new("text-" + Guid.NewGuid());
    private readonly PrometheusExporter _exporter = new();
    private readonly MeterProvider _provider;

    public PrometheusTextTests() =>
        _provider = Sdk.CreateMeterProviderBuilder()
            .AddMeter(_meter.Name)
            .AddReader(new BaseExportingMetricReader(_exporter))
            .Build();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _provider.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task Write_Counter_HasUnitTotalAndEscapedLabels()
    {
        _meter.CreateCounter<long>("a.b-c", "By", "First line\nand a \\ backslash \"quoted\".")
            .Add(7, new("path.name", "a\\b\"c\nd"), new("flag", true), new("number", 1.5), new("none", null));
        Assert.Equal(
            """
            # HELP a_b_c_bytes_total First line\nand a \\ backslash "quoted".
            # TYPE a_b_c_bytes_total counter
            a_b_c_bytes_total{flag="true",none="",number="1.5",path_name="a\\b\"c\nd"} 7

            """,
            await ScrapeAsync());
    }

    [Fact]
    public async Task Write_Histogram_CountsUpToInfinity()
    {
        var advice = new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 2.5] };
        var histogram = _meter.CreateHistogram("h", "s", "Help.", advice: advice);
        foreach (var value in (double[])[0.001, 0.002, 2.5, 1e9])
        {
            histogram.Record(value);
        }

        Assert.Equal(
            """
            # HELP h_seconds Help.
            # TYPE h_seconds histogram
            h_seconds_bucket{le="0.001"} 1
            h_seconds_bucket{le="2.5"} 3
            h_seconds_bucket{le="+Inf"} 4
            h_seconds_sum 1000000002.503
            h_seconds_count 4

            """,
            await ScrapeAsync());
    }

    [Theory]
    [InlineData(double.PositiveInfinity, "+Inf")]
    [InlineData(double.NegativeInfinity, "-Inf")]
    [InlineData(double.NaN, "NaN")]
    [InlineData(0.1, "0.1")]
    [InlineData(-12, "-12")]
    [InlineData(1e300, "1E+300")]
    [InlineData(9007199254740991, "9007199254740991")]
    public async Task Write_Gauge_IsReadableByGo(double value, string text)
    {
        _meter.CreateObservableGauge("g", () => value, null, "Help.");
        Assert.Equal($"# HELP g Help.\n# TYPE g gauge\ng {text}\n", await ScrapeAsync());
    }

    [Fact]
    public async Task Write_NothingRecorded_IsEmpty()
    {
        _meter.CreateCounter<long>("never", null, "Help.");
        Assert.Equal(string.Empty, await ScrapeAsync());
    }

    [Theory]
    [InlineData("http.server.request.duration", "s", MetricType.Histogram, "http_server_request_duration_seconds")]
    [InlineData("dotnet.process.cpu.time", "s", MetricType.DoubleSum, "dotnet_process_cpu_time_seconds_total")]
    [InlineData("fpn.requests", "{image}", MetricType.LongSum, "fpn_requests_total")]
    [InlineData("already_total", "", MetricType.LongSum, "already_total")]
    [InlineData("already.seconds", "s", MetricType.DoubleGauge, "already_seconds")]
    [InlineData("dotnet.assembly.count", "{assembly}", MetricType.LongSumNonMonotonic, "dotnet_assembly")]
    [InlineData("items.count", "{item}", MetricType.LongSum, "items_count_total")]
    [InlineData("some.ratio", "1", MetricType.Histogram, "some_ratio")]
    [InlineData("9 lives", "", MetricType.LongGauge, "_9_lives")]
    public void Name_OfInstrument_FollowsTheConventions(
        string instrument, string unit, MetricType type, string expected) =>
        Assert.Equal(expected, PrometheusName.Of(instrument, unit, type));

    private async Task<string> ScrapeAsync() =>
        System.Text.Encoding.UTF8.GetString((await _exporter.ScrapeAsync(Cancel)).Span);
}
