using System.Globalization;
using Fpn.Models.Options;

namespace Fpn.Benchmarks.Gpu;

/// <summary>The command line of <c>gpu</c>.</summary>
internal sealed record GpuOptions
{
    private const string Usage =
        "gpu --packages DIR --out DIR [--provider cpu|cuda] [--only SECTION,…] [--models NAME,…] [--variants NAME,…] "
        + "[--batches N,…] [--quick] [--limit SECONDS] [--images DIR] [--annotated DIR] [--requests N], "
        + "or gpu --out DIR --report-only";

    /// <summary>
    /// Folder of model packages: <c>name</c>, and its float16 twin <c>name-fp16</c> where there is one.
    /// </summary>
    public required string Packages { get; init; }

    /// <summary>Where the results go.</summary>
    public required string Output { get; init; }

    /// <summary>
    /// What is measured: <see cref="ExecutionProvider.Cpu"/> or <see cref="ExecutionProvider.Cuda"/>.
    /// </summary>
    public ExecutionProvider Provider { get; init; } = ExecutionProvider.Cuda;

    /// <summary>Sections to run; empty for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Models to measure, by the names of their float32 packages; empty for each section's own.</summary>
    public IReadOnlyList<string> Models { get; init; } = [];

    /// <summary>Variants to measure, such as <c>fp16-nhwc</c>; empty for all.</summary>
    public IReadOnlyList<string> Variants { get; init; } = [];

    /// <summary>Batch sizes to measure, rising; empty for the usual ones.</summary>
    public IReadOnlyList<int> Batches { get; init; } = [];

    /// <summary>
    /// Few repetitions and small batches: shows that everything works, and measures nothing worth keeping.
    /// </summary>
    public bool Quick { get; init; }

    /// <summary>Time after which a section begins no further measurement. Default 5 minutes.</summary>
    public TimeSpan Limit { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>JPEGs to compare answers on, besides those that are drawn; null for none.</summary>
    public string? Images { get; init; }

    /// <summary>
    /// Folder with <c>images/*.jpg</c> and <c>annotations/*.xml</c> (Pascal VOC) for the average precision; null for
    /// none.
    /// </summary>
    public string? Annotated { get; init; }

    /// <summary>Requests of the memory section; null for its own number.</summary>
    public int? Requests { get; init; }

    /// <summary>Nothing is measured: the report is written anew from what is in <see cref="Output"/>.</summary>
    public bool ReportOnly { get; init; }

    /// <summary>Reads a command line.</summary>
    /// <exception cref="ArgumentException">Something is missing, unknown or wrong; the message says what.</exception>
    public static GpuOptions Parse(IReadOnlyList<string> args)
    {
        var values = new Dictionary<string, string>();
        for (var i = 0; i < args.Count; i++)
        {
            if (args[i] is "--quick" or "--report-only")
            {
                values[args[i]] = string.Empty;
            }
            else if (args[i].StartsWith("--", StringComparison.Ordinal) && i + 1 < args.Count)
            {
                values[args[i]] = args[++i];
            }
            else
            {
                throw new ArgumentException($"'{args[i]}' is unknown or lacks its value: {Usage}");
            }
        }

        var reportOnly = Take("--report-only") is not null;
        var options = new GpuOptions
        {
            ReportOnly = reportOnly,
            Packages = Take("--packages")
                ?? (reportOnly ? string.Empty : throw new ArgumentException($"--packages is missing: {Usage}")),
            Output = Take("--out") ?? throw new ArgumentException($"--out is missing: {Usage}"),
            Provider = (Take("--provider") ?? "cuda") switch
            {
                "cpu" => ExecutionProvider.Cpu,
                "cuda" => ExecutionProvider.Cuda,
                var other => throw new ArgumentException($"--provider is cpu or cuda, not '{other}'."),
            },
            Only = List("--only"),
            Models = List("--models"),
            Variants = List("--variants"),
            Batches = [.. List("--batches").Select(batch => WholeNumber("--batches", batch)).Order()],
            Quick = Take("--quick") is not null,
            Limit = TimeSpan.FromSeconds(Number("--limit") ?? 300),
            Images = Take("--images"),
            Annotated = Take("--annotated"),
            Requests = Number("--requests"),
        };
        return values.Count == 0 ? options : throw new ArgumentException($"{values.First().Key} is unknown: {Usage}");

        string? Take(string name) => values.Remove(name, out var value) ? value : null;

        string[] List(string name) => Take(name)?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [];

        int? Number(string name) => Take(name) is { } text ? WholeNumber(name, text) : null;
    }

    private static int WholeNumber(string name, string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : throw new ArgumentException($"{name} must be a whole number above 0, not '{text}'.");
}
