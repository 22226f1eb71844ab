using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Testing.Running;

namespace Fpn.Testing.Metrics;

/// <summary>The Grafana dashboard and the alerts: their queries, and the metrics that these name.</summary>
internal static partial class Dashboard
{
    /// <summary>The folder of the files for Prometheus.</summary>
    public static string PrometheusFolder { get; } = Path.Combine(Checkout.Root, "deploy", "prometheus");

    /// <summary>The dashboard.</summary>
    public static JsonElement Json { get; } =
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Checkout.Root, "deploy", "grafana", "fpn-service.json")))
            .RootElement;

    /// <summary>Every query of every panel, as it stands in the file.</summary>
    public static IReadOnlyList<(string Panel, string Query)> Queries { get; } =
    [
        .. Json.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.GetProperty("type").GetString() != "row")
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray().Select(
                target => (panel.GetProperty("title").GetString()!, target.GetProperty("expr").GetString()!))),
    ];

    /// <summary>The variables that are lists of a label's values: name, metric, its matchers, label.</summary>
    public static IReadOnlyList<(string Name, string Selector, string Label)> Variables { get; } =
    [
        .. Json.GetProperty("templating").GetProperty("list").EnumerateArray()
            .Where(variable => variable.GetProperty("type").GetString() == "query")
            .Select(variable =>
            {
                var match = LabelValues().Match(variable.GetProperty("definition").GetString()!);
                Assert.True(match.Success);
                return (variable.GetProperty("name").GetString()!, match.Groups[1].Value, match.Groups[2].Value);
            }),
    ];

    /// <summary>The expressions of the alerts.</summary>
    public static string Alerts { get; } = File.ReadAllText(Path.Combine(PrometheusFolder, "alerts.yml"));

    /// <summary>Puts values in the place of the variables, as Grafana does.</summary>
    public static string Substitute(string query)
    {
        var text = query
            .Replace("$__rate_interval", "30s", StringComparison.Ordinal)
            .Replace("$__range", "1m", StringComparison.Ordinal)
            .Replace("$job", "fpn-service", StringComparison.Ordinal)
            .Replace("$instance", ".*", StringComparison.Ordinal)
            .Replace("$model", ".*", StringComparison.Ordinal);
        Assert.DoesNotContain("$", text, StringComparison.Ordinal);
        return text;
    }

    /// <summary>The metrics that a text names: ours anywhere, the framework's where labels follow.</summary>
    public static IEnumerable<string> MetricsIn(string text) =>
        Named().Matches(text).Select(match => Suffix().Replace(match.Value, string.Empty)).Distinct();

    [GeneratedRegex(@"^label_values\((.+), (\w+)\)$")]
    private static partial Regex LabelValues();

    [GeneratedRegex(@"\bfpn_[a-z0-9_]+|\b(?:http|kestrel|aspnetcore|dotnet)_[a-z0-9_]+(?=\{)")]
    private static partial Regex Named();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
