using System.Globalization;

namespace Fpn.Benchmarks.Gpu;

/// <summary>A figure that is to be reached.</summary>
/// <param name="What">In words.</param>
/// <param name="ToReach">With its sign.</param>
/// <param name="Measured">Null where it was not measured.</param>
/// <param name="Verdict"><c>reached</c>, <c>not reached</c> or <c>not measured</c>.</param>
internal sealed record Target(string What, string ToReach, double? Measured, string Verdict);

/// <summary>What the GPU path is to reach on an H200, held against what was measured.</summary>
internal static class Targets
{
    private const string Model = "resnet50-fpn";

    /// <summary>Growth that counts as none, in MiB: the driver rounds, and other processes come and go.</summary>
    private const double Flat = 32;

    private static readonly string[] Precisions = ["fp32", "tf32", "fp16"];

    /// <summary>Judges all; on the CPU, and in a quick trial, nothing counts as measured.</summary>
    public static IReadOnlyList<Target> Judge(IReadOnlyList<SectionResult> sections)
    {
        var figures = sections
            .Where(section => section is { Provider: "cuda", Quick: false })
            .Where(section => section.State is SectionState.Done or SectionState.TimeUp)
            .SelectMany(section => section.Figures)
            .ToDictionary(figure => figure.Key, figure => figure.Value);
        return
        [
            AtLeast("ResNet-50-FPN, 800×1344, JPEG to JSON, fp32 or TF32, images/s", 150, Best("fp32", "tf32")),
            AtLeast("the same in fp16, images/s", 300, Best("fp16")),
            AtLeast(
                "service over bare loop at the same batch, the least of all",
                0.95,
                All("service.", ".ratio", Enumerable.Min)),
            .. Precisions.Select(precision => AtLeast(
                $"service (JPEG to JSON) over torchvision eager at its best batch, {precision}",
                2,
                Service(precision) / Figure($"race.eager.{precision}.imagesPerSecond"))),
            .. Precisions.Select(precision => AtMost(
                $"p50 at concurrency 1 from a 640×480 JPEG (resized to 800×1066), {precision}, ms",
                20,
                Figure($"latency.{Model}.{precision}.p50Ms"))),
            AtMost("growth of the GPU's memory over 10,000 requests of changing sizes, MiB", Flat, Memory()),
            AtMost(
                "shapes first seen after the warm-up, all services",
                0,
                All(string.Empty, ".shapesAfterWarmUp", Enumerable.Sum)),
        ];

        double? Figure(string name) => figures.TryGetValue(name, out var value) ? value : null;

        double? Service(string precision) => Figure($"service.{Model}.{precision}.imagesPerSecond");

        double? Best(params string[] precisions) => precisions.Max(Service);

        double? Memory() => Figure("memory.requests") >= 10_000 ? Figure("memory.gpuGrowthMiB") : null;

        double? All(string start, string end, Func<IEnumerable<double>, double> combine)
        {
            var values = figures
                .Where(figure => figure.Key.StartsWith(start, StringComparison.Ordinal))
                .Where(figure => figure.Key.EndsWith(end, StringComparison.Ordinal))
                .Select(figure => figure.Value).ToArray();
            return values.Length == 0 ? null : combine(values);
        }
    }

    private static Target AtLeast(string what, double target, double? measured) =>
        Judge(what, string.Create(CultureInfo.InvariantCulture, $"≥ {target}"), measured, measured >= target);

    private static Target AtMost(string what, double target, double? measured) =>
        Judge(what, string.Create(CultureInfo.InvariantCulture, $"≤ {target}"), measured, measured <= target);

    private static Target Judge(string what, string toReach, double? measured, bool reached) =>
        new(what, toReach, measured, measured is null ? "not measured" : reached ? "reached" : "not reached");
}
