using System.Globalization;
using System.Text;

namespace Fpn.Benchmarks.Load;

/// <summary>Throughput and latency over the number of clients, as an SVG.</summary>
internal static class LoadPlot
{
    private const int Width = 640;
    private const int Height = 320;
    private const int Left = 60;
    private const int Right = 580;
    private const int Top = 40;
    private const int Bottom = 270;

    public static string Draw(IReadOnlyList<LoadResult> results)
    {
        var svg = new StringBuilder();
        svg.AppendLine(CultureInfo.InvariantCulture, $"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {Width} "
            + $"{Height}' font-family='sans-serif' font-size='12'>");
        svg.AppendLine(CultureInfo.InvariantCulture, $"<rect width='{Width}' height='{Height}' fill='white'/>");
        var throughput = results.Max(result => result.PerSecond) * 1.1;
        var latency = results.Max(result => result.P99) * 1.1;
        for (var i = 0; i < results.Count; i++)
        {
            var x = X(i, results.Count);
            svg.AppendLine(CultureInfo.InvariantCulture,
                $"<line x1='{x:F0}' y1='{Top}' x2='{x:F0}' y2='{Bottom}' stroke='#eee'/>");
            svg.AppendLine(CultureInfo.InvariantCulture,
                $"<text x='{x:F0}' y='{Bottom + 18}' text-anchor='middle'>{results[i].Clients}</text>");
        }

        for (var part = 0; part <= 4; part++)
        {
            var y = Bottom - ((Bottom - Top) * part / 4.0);
            svg.AppendLine(CultureInfo.InvariantCulture, $"<text x='{Left - 8}' y='{y + 4:F0}' text-anchor='end' "
                + $"fill='#0a58a6'>{throughput * part / 4:F0}</text>");
            svg.AppendLine(CultureInfo.InvariantCulture,
                $"<text x='{Right + 8}' y='{y + 4:F0}' fill='#b3400e'>{latency * part / 4:F0}</text>");
        }

        Line(svg, results, result => result.PerSecond / throughput, "#0a58a6", "");
        Line(svg, results, result => result.P50 / latency, "#b3400e", "");
        Line(svg, results, result => result.P99 / latency, "#b3400e", " stroke-dasharray='5 4'");
        svg.AppendLine(CultureInfo.InvariantCulture, $"<text x='{Left}' y='22' fill='#0a58a6'>images/s</text>");
        svg.AppendLine(CultureInfo.InvariantCulture,
            $"<text x='{Right}' y='22' text-anchor='end' fill='#b3400e'>latency, ms: p50, p99 (dashed)</text>");
        svg.AppendLine(CultureInfo.InvariantCulture,
            $"<text x='{(Left + Right) / 2}' y='{Bottom + 40}' text-anchor='middle'>clients in a closed loop</text>");
        svg.AppendLine("</svg>");
        return svg.ToString();
    }

    private static double X(int index, int count) => Left + ((Right - Left) * index / Math.Max(1.0, count - 1));

    private static void Line(StringBuilder svg, IReadOnlyList<LoadResult> results, Func<LoadResult, double> share,
        string color, string style)
    {
        var points = string.Join(' ', results.Select((result, i) =>
            string.Create(CultureInfo.InvariantCulture,
                $"{X(i, results.Count):F1},{Bottom - ((Bottom - Top) * share(result)):F1}")));
        svg.AppendLine(CultureInfo.InvariantCulture,
            $"<polyline points='{points}' fill='none' stroke='{color}' stroke-width='2'{style}/>");
    }
}
