using System.Text.Json;

namespace Fpn.Benchmarks.Gpu;

/// <summary>
/// The folder of results: a file for each section, so that runs of single sections add up to one report.
/// </summary>
internal static class ResultFolder
{
    private const string Folder = "sections";

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
    };

    /// <summary>Writes a section's result in place of an earlier one.</summary>
    public static void Write(string output, SectionResult result)
    {
        var folder = Directory.CreateDirectory(Path.Combine(output, Folder)).FullName;
        Replace(Path.Combine(folder, $"{result.Name}.json"), JsonSerializer.Serialize(result, Json));
    }

    /// <summary>Reads what there is of some sections, in their order.</summary>
    public static IReadOnlyList<SectionResult> Read(string output, IEnumerable<string> names) =>
    [
        .. names.Select(name => Path.Combine(output, Folder, $"{name}.json"))
            .Where(File.Exists)
            .Select(file => JsonSerializer.Deserialize<SectionResult>(File.ReadAllText(file), Json)
                ?? throw new InvalidDataException($"{file} is empty.")),
    ];

    /// <summary>The figures of all sections that were run into a folder.</summary>
    public static IReadOnlyDictionary<string, double> Figures(string output) => GpuCommand.AllNames
        .SelectMany(name => Read(output, [name]))
        .SelectMany(section => section.Figures)
        .ToDictionary(figure => figure.Key, figure => figure.Value);

    /// <summary>
    /// Writes <c>report.md</c>, and <c>results-DEVICE.json</c> with every figure, from all sections that were run.
    /// </summary>
    public static void WriteReport(string output)
    {
        var sections = Read(output, GpuCommand.AllNames);
        var targets = Targets.Judge(sections);
        var machine = sections.FirstOrDefault(section => section.Facts.Count > 0)?.Facts;
        var device = machine?.GetValueOrDefault(MachineSection.DeviceFact) ?? "unknown";
        var file = Path.Combine(output, $"results-{device.ToLowerInvariant().Replace(' ', '-')}.json");
        foreach (var other in Directory.GetFiles(output, "results-*.json").Where(other => other != file))
        {
            // Written before the device was known.
            File.Delete(other);
        }

        Replace(file, JsonSerializer.Serialize(new { machine, targets, sections }, Json));
        Replace(Path.Combine(output, "report.md"), Report.Write(sections, targets));
    }

    /// <summary>
    /// A reader in the meantime, or after this process was killed, finds the old text or the new one.
    /// </summary>
    private static void Replace(string file, string text)
    {
        File.WriteAllText($"{file}.new", text);
        File.Move($"{file}.new", file, overwrite: true);
    }
}
