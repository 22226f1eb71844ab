using System.Globalization;
using System.Text.RegularExpressions;

namespace Fpn.Testing.Metrics;

/// <summary>One line of a scrape.</summary>
/// <param name="Name">With <c>_bucket</c>, <c>_sum</c> or <c>_count</c>, if it is of a histogram.</param>
/// <param name="Labels">Unescaped.</param>
/// <param name="Value">What it says.</param>
internal sealed record ScrapedSample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>A scrape, read strictly: anything that the text format does not allow fails the test.</summary>
internal sealed partial class ScrapedMetrics
{
    private readonly Dictionary<string, string> _types = [];
    private readonly Dictionary<string, string> _help = [];
    private readonly List<ScrapedSample> _samples = [];

    private ScrapedMetrics()
    {
    }

    /// <summary>Type of each metric by its name.</summary>
    public IReadOnlyDictionary<string, string> Types => _types;

    /// <summary>Help of each metric by its name, unescaped.</summary>
    public IReadOnlyDictionary<string, string> Help => _help;

    /// <summary>All lines.</summary>
    public IReadOnlyList<ScrapedSample> Samples => _samples;

    /// <summary>Reads a scrape.</summary>
    public static ScrapedMetrics Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var metrics = new ScrapedMetrics();
        var family = string.Empty;
        var seen = new HashSet<string>();
        foreach (var line in text[..^1].Split('\n'))
        {
            if (HelpLine().Match(line) is { Success: true } help)
            {
                // After the type, as the exporter writes them.
                Assert.Equal(family, help.Groups[1].Value);
                Assert.True(metrics._help.TryAdd(family, Unescape(help.Groups[2].Value)), $"{family} begins twice");
            }
            else if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                Assert.True(metrics._types.TryAdd(family, type.Groups[2].Value), $"{family} has two types");
            }
            else
            {
                var sample = SampleLine().Match(line);
                Assert.True(sample.Success, $"Not a line of the format: {line}");
                var name = sample.Groups["name"].Value;
                string[] names = metrics._types[family] == "histogram"
                    ? [$"{family}_bucket", $"{family}_sum", $"{family}_count"]
                    : [family];
                Assert.Contains(name, names);
                var labels = Label().Matches(sample.Groups["labels"].Value)
                    .ToDictionary(label => label.Groups[1].Value, label => Unescape(label.Groups[2].Value));
                var series = string.Join(',', labels.OrderBy(label => label.Key, StringComparer.Ordinal));
                Assert.True(seen.Add(name + series), $"Twice: {line}");
                metrics._samples.Add(new ScrapedSample(name, labels, Number(sample.Groups["value"].Value)));
            }
        }

        return metrics;
    }

    /// <summary>The samples of a name that have all these labels.</summary>
    public IReadOnlyList<ScrapedSample> Find(string name, params (string Name, string Value)[] labels) =>
        [.. _samples.Where(sample => sample.Name == name
            && labels.All(label => sample.Labels.TryGetValue(label.Name, out var value) && value == label.Value))];

    /// <summary>The value of the one sample of a name that has all these labels.</summary>
    public double Value(string name, params (string Name, string Value)[] labels) =>
        Assert.Single(Find(name, labels)).Value;

    private static double Number(string text) => text switch
    {
        "+Inf" => double.PositiveInfinity,
        "-Inf" => double.NegativeInfinity,
        _ => double.Parse(text, CultureInfo.InvariantCulture),
    };

    private static string Unescape(string text) =>
        Escaped().Replace(text, match => match.Value == "\\n" ? "\n" : match.Value[1..]);

    [GeneratedRegex(@"^# HELP ([a-zA-Z_][a-zA-Z0-9_]*) (.*)$")]
    private static partial Regex HelpLine();

    [GeneratedRegex(@"^# TYPE ([a-zA-Z_][a-zA-Z0-9_]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex(
        """^(?<name>[a-zA-Z_][a-zA-Z0-9_]*)"""
            + """(\{(?<labels>[a-zA-Z_][a-zA-Z0-9_]*="(\\[\\"n]|[^\\"])*"("""
            + """,[a-zA-Z_][a-zA-Z0-9_]*="(\\[\\"n]|[^\\"])*")*)?\})?"""
            + """ (?<value>[+-]Inf|NaN|-?[0-9.]+([eE][+-]?[0-9]+)?)$""",
        RegexOptions.ExplicitCapture)]
    private static partial Regex SampleLine();

    [GeneratedRegex("""([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\[\\"n]|[^\\"])*)" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Label();

    [GeneratedRegex("""\\[\\"n]""")]
    private static partial Regex Escaped();
}
