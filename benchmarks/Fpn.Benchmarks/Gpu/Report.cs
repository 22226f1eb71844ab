using System.Globalization;
using System.Text;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Writes what was measured as Markdown.</summary>
internal static class Report
{
    /// <summary>The whole report.</summary>
    /// <param name="sections">In their order.</param>
    /// <param name="targets">Shown first.</param>
    public static string Write(IReadOnlyList<SectionResult> sections, IReadOnlyList<Target> targets)
    {
        StringBuilder text = new("# GPU benchmark\n\n");
        if (sections.Any(section => section.Quick))
        {
            text.Append("**A quick trial: it shows that everything runs; its times say nothing.**\n\n");
        }

        if (sections.Any(section => section.Provider != "cuda"))
        {
            text.Append("**Measured on the CPU: no figure for a GPU is in here.**\n\n");
        }

        ResultTable judged = new()
        {
            Title = string.Empty,
            Columns = ["to reach on an H100 or H200", "target", "measured", "verdict"],
        };
        foreach (var target in targets)
        {
            judged.Add(target.What, target.ToReach, target.Measured, target.Verdict);
        }

        Write(text, judged);
        foreach (var section in sections)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {section.Title}\n\n");
            text.Append(
                CultureInfo.InvariantCulture,
                $"{State(section.State)} `{section.Name}`, on {section.Provider}, {section.Seconds:F1} s.\n\n");
            foreach (var note in section.Notes)
            {
                text.Append(CultureInfo.InvariantCulture, $"{note.ReplaceLineEndings(" ")}\n\n");
            }

            foreach (var table in section.Tables.Where(table => table.Rows.Count > 0))
            {
                Write(text, table);
            }
        }

        return text.ToString().TrimEnd() + "\n";
    }

    private static void Write(StringBuilder text, ResultTable table)
    {
        if (table.Title.Length > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"{table.Title}:\n\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", table.Columns)} |\n");
        var rule = string.Concat(Enumerable.Repeat("---|", table.Columns.Count));
        text.Append(CultureInfo.InvariantCulture, $"|{rule}\n");
        foreach (var row in table.Rows)
        {
            var cells = row.Select(cell => cell.ReplaceLineEndings(" ").Replace("|", "\\|", StringComparison.Ordinal));
            text.Append(CultureInfo.InvariantCulture, $"| {string.Join(" | ", cells)} |\n");
        }

        text.Append('\n');
    }

    private static string State(SectionState state) => state switch
    {
        SectionState.Done => "Done:",
        SectionState.TimeUp => "**Time was up before everything was measured:**",
        SectionState.NotMeasured => "**Not measured:**",
        SectionState.Failed => "**Failed:**",
        _ => "**Ended before it was done (killed, or crashed; the log says more):**",
    };
}
