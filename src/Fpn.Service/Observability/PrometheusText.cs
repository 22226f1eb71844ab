using System.Buffers;
using System.Globalization;
using System.Text;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace Fpn.Service.Observability;

/// <summary>Writes metrics in Prometheus' text format, version 0.0.4.</summary>
/// <param name="output">Where the bytes go, UTF-8.</param>
internal sealed class PrometheusText(IBufferWriter<byte> output)
{
    /// <summary>What the format is called in <c>Content-Type</c>.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Writes one metric with all its series; nothing when it has none, or no form in this text.</summary>
    public void Write(Metric metric)
    {
        // Exponential histograms have no text form; no instrument here asks for one.
        if (metric.MetricType == MetricType.ExponentialHistogram)
        {
            return;
        }

        var name = PrometheusName.Of(metric.Name, metric.Unit, metric.MetricType);
        var begun = false;
        foreach (ref readonly var point in metric.GetMetricPoints())
        {
            if (!begun)
            {
                var type = metric.MetricType.IsHistogram() ? "histogram"
                    : PrometheusName.IsCounter(metric.MetricType) ? "counter"
                    : "gauge";
                Text($"# HELP {name} {Escape(metric.Description, quotes: false)}\n# TYPE {name} {type}\n");
                begun = true;
            }

            WritePoint(name, metric.MetricType, point);
        }
    }

    private void WritePoint(string name, MetricType type, in MetricPoint point)
    {
        var labels = Labels(point.Tags);
        switch (type)
        {
            case MetricType.Histogram:
                WriteHistogram(name, labels, point);
                break;
            case MetricType.LongSum or MetricType.LongSumNonMonotonic:
                Sample(name, string.Empty, labels, point.GetSumLong());
                break;
            case MetricType.LongGauge:
                Sample(name, string.Empty, labels, point.GetGaugeLastValueLong());
                break;
            case MetricType.DoubleGauge:
                Sample(name, string.Empty, labels, point.GetGaugeLastValueDouble());
                break;
            default:
                Sample(name, string.Empty, labels, point.GetSumDouble());
                break;
        }
    }

    private void WriteHistogram(string name, string labels, in MetricPoint point)
    {
        var comma = labels.Length > 0 ? "," : string.Empty;
        var below = 0L;
        foreach (var bucket in point.GetHistogramBuckets())
        {
            below += bucket.BucketCount;
            Sample(name, "_bucket", $"{labels}{comma}le=\"{Number(bucket.ExplicitBound)}\"", below);
        }

        Sample(name, "_sum", labels, point.GetHistogramSum());
        Sample(name, "_count", labels, point.GetHistogramCount());
    }

    private void Sample(string name, string suffix, string labels, double value) =>
        Text(labels.Length > 0 ? $"{name}{suffix}{{{labels}}} {Number(value)}\n" : $"{name}{suffix} {Number(value)}\n");

    private static string Labels(ReadOnlyTagCollection tags)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in tags)
        {
            text.Append(text.Length > 0 ? "," : string.Empty)
                .Append(PrometheusName.OfLabel(key)).Append("=\"")
                .Append(Escape(Value(value), quotes: true)).Append('"');
        }

        return text.ToString();
    }

    private static string Value(object? value) => value switch
    {
        null => string.Empty,
        bool flag => flag ? "true" : "false",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? string.Empty,
    };

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }

    /// <summary>A number as Go reads it; whole ones without exponent up to 2^53.</summary>
    private static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf"
        : double.IsNegativeInfinity(value) ? "-Inf"
        : double.IsInteger(value) && Math.Abs(value) < 1L << 53 ? ((long)value).ToString(CultureInfo.InvariantCulture)
        : value.ToString("R", CultureInfo.InvariantCulture);

    private void Text(string text) =>
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length))));
}
