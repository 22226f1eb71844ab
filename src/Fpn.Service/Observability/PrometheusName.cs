using OpenTelemetry.Metrics;

namespace Fpn.Service.Observability;

/// <summary>Names of instruments as Prometheus has them, by the rules of OpenTelemetry's specification.</summary>
internal static class PrometheusName
{
    /// <summary>The name of a metric: letters, digits, underscores; its unit; <c>_total</c> for a counter.</summary>
    /// <param name="instrument">Name of the instrument, such as <c>http.server.request.duration</c>.</param>
    /// <param name="unit">UCUM, such as <c>s</c>, <c>By</c>, <c>{request}</c>.</param>
    /// <param name="type">What the instrument is.</param>
    /// <remarks>
    /// One rule is our own: a gauge does not end in <c>_count</c> (<c>dotnet.thread_pool.thread.count</c>), which
    /// Prometheus keeps for histograms and <c>promtool</c> refuses.
    /// </remarks>
    public static string Of(string instrument, string unit, MetricType type)
    {
        var name = OfLabel(instrument);
        var word = unit switch
        {
            "s" => "seconds",
            "By" => "bytes",
            _ => string.Empty,
        };
        if (word.Length > 0 && !name.EndsWith("_" + word, StringComparison.Ordinal))
        {
            name = $"{name}_{word}";
        }

        if (IsCounter(type))
        {
            return name.EndsWith("_total", StringComparison.Ordinal) ? name : name + "_total";
        }

        return !type.IsHistogram() && name.EndsWith("_count", StringComparison.Ordinal)
            ? name[..^"_count".Length]
            : name;
    }

    /// <summary>The name of a label: every character but letters and digits becomes an underscore.</summary>
    public static string OfLabel(string name)
    {
        var plain = string.Create(name.Length, name, (to, from) =>
        {
            for (var i = 0; i < to.Length; i++)
            {
                to[i] = char.IsAsciiLetterOrDigit(from[i]) ? from[i] : '_';
            }
        });
        return plain.Length == 0 || char.IsAsciiDigit(plain[0]) ? "_" + plain : plain;
    }

    /// <summary>Whether a metric only grows.</summary>
    public static bool IsCounter(MetricType type) => type is MetricType.LongSum or MetricType.DoubleSum;
}
