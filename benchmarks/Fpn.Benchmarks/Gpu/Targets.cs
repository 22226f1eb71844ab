using System.Globalization;

namespace Fpn.Benchmarks.Gpu;

/// <summary>A figure that is to be reached.</summary>
/// <param name="What">In words.</param>
/// <param name="ToReach">With its sign.</param>
/// <param name="Measured">Null where it was not measured.</param>
/// <param name="Verdict"><c>reached</c>, <c>not reached</c> or <c>not measured</c>.</param>
internal sealed record Target(string What, string ToReach, double? Measured, string Verdict);

/// <summary>What the GPU path is to reach on an H100 or H200, held against what was measured.</summary>
internal static class Targets
{
    private const string Model = "resnet50-fpn";

    /// <summary>Requests of changing sizes after which growth of memory is judged.</summary>
    private const double EnoughRequests = 2_000;

    /// <summary>Growth that counts as none, in MiB: the driver rounds, and other processes come and go.</summary>
    private const double Flat = 32;

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
            AtLeast("ResNet-50-FPN, 800×1344, JPEG to JSON over HTTP, float16, images/s", 300, Service("fp16")),
            AtLeast("the same in TF32, images/s", 180, Service("tf32")),
            AtLeast(
                "service over bare loop at the same batch, the least of all",
                0.95,
                All("service.", ".ratio", Enumerable.Min)),
            AtLeast(
                "service in float16 (JPEG to JSON) over torchvision eager in half at its best batch and layout",
                2,
                Service("fp16") / Figure("race.eager.fp16.imagesPerSecond")),
            AtMost(
                "p50 at concurrency 1 from a 640×480 JPEG, the best arithmetic, ms",
                15,
                All($"latency.{Model}.", ".p50Ms", Enumerable.Min)),
            AtMost(
                "boxes in float32 against the CPU, px", 0.1, All("parity.", ".fp32.boxDifferencePx", Enumerable.Max)),
            AtMost(
                "scores in float32 against the CPU", 0.001, All("parity.", ".fp32.scoreDifference", Enumerable.Max)),
            AtMost(
                "cost of TF32 in AP, the most of all layouts",
                0.002,
                All("parity.", ".apCost", Enumerable.Max, containing: ".tf32")),
            AtMost(
                "answers of two callers at a time that differ from those of one alone",
                0,
                All("parity.", ".differentOfTwoCallers", Enumerable.Sum)),
            AtMost("growth of the GPU's memory over 2,000 requests of changing sizes, MiB", Flat, Memory()),
            AtMost(
                "shapes first seen after the warm-up, all services",
                0,
                All(string.Empty, ".shapesAfterWarmUp", Enumerable.Sum)),
        ];

        double? Figure(string name) => figures.TryGetValue(name, out var value) ? value : null;

        double? Service(string precision) => Figure($"service.{Model}.{precision}.imagesPerSecond");

        double? Memory() => Figure("memory.requests") >= EnoughRequests ? Figure("memory.gpuGrowthMiB") : null;

        double? All(string start, string end, Func<IEnumerable<double>, double> combine, string containing = "")
        {
            var values = figures
                .Where(figure => figure.Key.StartsWith(start, StringComparison.Ordinal))
                .Where(figure => figure.Key.EndsWith(end, StringComparison.Ordinal))
                .Where(figure => figure.Key.Contains(containing, StringComparison.Ordinal))
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
