using System.Diagnostics.Metrics;
using Fpn.Service.Observability;
using Fpn.Serving.Telemetry;
using Fpn.Testing.Metrics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Observability;

/// <summary>The text that instruments become with the settings of this service.</summary>
public sealed class TelemetryTextTests : IDisposable
{
    private readonly ServiceProvider _services = new ServiceCollection()
        .AddMetrics()
        .AddTelemetry(new TelemetryOptions(), new ConfigurationBuilder().Build())
        .BuildServiceProvider();

    private readonly Meter _meter;
    private readonly Scraper _scraper;

    public TelemetryTextTests()
    {
        _meter = _services.GetRequiredService<IMeterFactory>().Create(DetectionMetrics.MeterName);
        _scraper = new Scraper(_services);
    }

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task Write_Counter_HasUnitTotalAndEscapedLabels()
    {
        _meter.CreateCounter<long>("a.b-c", "By", "First line\nand a \\ backslash \"quoted\".")
            .Add(7, new("path.name", "a\\b\"c\nd"), new("flag", true), new("number", 1.5), new("none", null));
        Assert.Equal(
            """
            # TYPE a_b_c_bytes_total counter
            # HELP a_b_c_bytes_total First line\nand a \\ backslash "quoted".
            a_b_c_bytes_total{flag="true",none="",number="1.5",path_name="a\\b\"c\nd"} 7

            """,
            await ScrapeAsync("a_b_c"));
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
            # TYPE h_seconds histogram
            # HELP h_seconds Help.
            h_seconds_bucket{le="0.001"} 1
            h_seconds_bucket{le="2.5"} 3
            h_seconds_bucket{le="+Inf"} 4
            h_seconds_sum{} 1000000002.503
            h_seconds_count{} 4

            """,
            await ScrapeAsync("h_seconds"));
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
        Assert.Equal($"# TYPE g gauge\n# HELP g Help.\ng{{}} {text}\n", await ScrapeAsync("g"));
    }

    [Fact]
    public async Task Write_NothingRecorded_IsAbsent()
    {
        _meter.CreateCounter<long>("never", null, "Help.");
        Assert.Equal(string.Empty, await ScrapeAsync("never"));
    }

    [Fact]
    public async Task Write_AnotherServiceInTheProcess_IsAbsent()
    {
        using var other = new ServiceCollection().AddMetrics().BuildServiceProvider();
        other.GetRequiredService<IMeterFactory>().Create(DetectionMetrics.MeterName).CreateCounter<long>("theirs")
            .Add(1);
        Assert.Equal(string.Empty, await ScrapeAsync("theirs"));
    }

    [Theory]
    [InlineData("counter", "http.server.requests", "s", "http_server_requests_seconds_total")]
    [InlineData("counter", "fpn.requests", "{image}", "fpn_requests_total")]
    [InlineData("counter", "already_total", "", "already_total")]
    [InlineData("gauge", "already.seconds", "s", "already_seconds")]
    [InlineData("gauge", "shelf.book.count", "{book}", "shelf_book")]
    [InlineData("sum", "shelf.page.count", "{page}", "shelf_page")]
    [InlineData("counter", "items.count", "{item}", "items_count_total")]
    [InlineData("histogram", "http.server.request.duration", "s", "http_server_request_duration_seconds_count")]
    public async Task Name_OfInstrument_FollowsTheConventions(
        string kind, string instrument, string unit, string expected)
    {
        switch (kind)
        {
            case "counter":
                _meter.CreateCounter<long>(instrument, unit).Add(1);
                break;
            case "gauge":
                _meter.CreateObservableGauge(instrument, () => 1, unit);
                break;
            case "sum":
                _meter.CreateUpDownCounter<long>(instrument, unit).Add(1);
                break;
            default:
                _meter.CreateHistogram<double>(instrument, unit).Record(1);
                break;
        }

        Assert.Contains($"\n{expected}{{}} 1\n", "\n" + await _scraper.ScrapeAsync(), StringComparison.Ordinal);
    }

    /// <summary>The lines of one metric: the runtime's own are there, too.</summary>
    private async Task<string> ScrapeAsync(string name)
    {
        var lines = (await _scraper.ScrapeAsync()).Split('\n');
        return string.Concat(lines
            .Where(line => line.Split(' ', '{') is var words && (words[0] == "#" ? words[2] : words[0]) is var word
                && (word == name || word.StartsWith($"{name}_", StringComparison.Ordinal)))
            .Select(line => line + "\n"));
    }
}
