using System.Text.RegularExpressions;
using Fpn.Testing.Metrics;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>What is documented, drawn and alerted on is what there is.</summary>
public sealed partial class DocumentedMetricsTests(MetricsFixture fixture) : IClassFixture<MetricsFixture>
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "metrics.md"));

    private static IEnumerable<string> Queries => Dashboard.Queries.Select(query => query.Query);

    private ScrapedMetrics Scraped => fixture.Scraped;

    [Fact]
    public void Page_Table_IsWhatTheServiceSays()
    {
        var documented = Row().Matches(Page)
            .Select(row => Line(
                row.Groups["name"].Value,
                row.Groups["type"].Value,
                Code().Matches(row.Groups["labels"].Value).Select(label => label.Groups[1].Value)));
        var served = Scraped.Types
            .Where(type => type.Key.StartsWith("fpn_", StringComparison.Ordinal))
            .Select(type => Line(
                type.Key,
                type.Value,
                Of(type.Key).SelectMany(sample => sample.Labels.Keys).Where(label => label != "le").Distinct()));
        Assert.Equal(served.Order(StringComparer.Ordinal), documented.Order(StringComparer.Ordinal));

        static string Line(string name, string type, IEnumerable<string> labels) =>
            $"{name} {type} {string.Join(',', labels.Order(StringComparer.Ordinal))}";
    }

    [Fact]
    public void Page_LabelValues_AreAllNamed()
    {
        foreach (var label in new[] { "outcome", "stage" })
        {
            Assert.All(
                Scraped.Samples
                    .Where(sample => sample.Labels.ContainsKey(label))
                    .Select(sample => sample.Labels[label]).Distinct(),
                value => Assert.Contains($"`{value}`", Page, StringComparison.Ordinal));
        }

        Assert.All(
            Scraped.Find("fpn_requests_total")
                .Select(sample => sample.Labels["reason"])
                .Where(reason => reason != "none"),
            reason => Assert.Contains($"`{reason}`", Page, StringComparison.Ordinal));
    }

    [Fact]
    public void Page_NamesOfTheFramework_Exist()
    {
        var named = Code().Matches(Page)
            .Select(match => match.Groups[1].Value)
            .Where(name => Framework().IsMatch(name)).ToArray();
        Assert.NotEmpty(named);
        Assert.All(named, name => Assert.Contains(name, Scraped.Types.Keys));
    }

    [Fact]
    public void Dashboard_Queries_NameMetricsThatExist() => AssertExist(
        string.Join('\n', [.. Queries, .. Dashboard.Variables.Select(variable => variable.Selector)]), atLeast: 25);

    [Fact]
    public void Alerts_Expressions_NameMetricsThatExist() => AssertExist(Dashboard.Alerts, atLeast: 6);

    /// <summary>A metric that no panel and no alert shows is of no use; readiness is shown for all.</summary>
    [Fact]
    public void Metrics_OfOurs_AreAllShown()
    {
        var shown = Dashboard.MetricsIn(string.Join('\n', [.. Queries, Dashboard.Alerts]));
        var ours = Scraped.Types.Keys.Where(name => name.StartsWith("fpn_", StringComparison.Ordinal));
        Assert.Equal(["fpn_model_ready"], ours.Except(shown));
    }

    private void AssertExist(string text, int atLeast)
    {
        var named = Dashboard.MetricsIn(text).ToArray();
        Assert.InRange(named.Length, atLeast, int.MaxValue);
        Assert.All(named, name => Assert.Contains(name, Scraped.Types.Keys));
    }

    private IEnumerable<ScrapedSample> Of(string metric) =>
        Scraped.Types[metric] == "histogram" ? Scraped.Find($"{metric}_bucket") : Scraped.Find(metric);

    [GeneratedRegex(@"^\| `(?<name>fpn_\w+)` \| (?<type>\w+) \| ?(?<labels>[^|]*) \|", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("^(http|kestrel|dotnet)_[a-z_]+$")]
    private static partial Regex Framework();
}
