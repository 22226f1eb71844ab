using System.Globalization;
using System.Text.Json.Serialization;

namespace Fpn.Benchmarks.Gpu;

/// <summary>How far a section came.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<SectionState>))]
internal enum SectionState
{
    /// <summary>It was begun; where this is read afterwards, the process ended before the section did.</summary>
    Started,

    /// <summary>Everything was measured.</summary>
    Done,

    /// <summary>Time was up: what is there was measured, the rest was not.</summary>
    TimeUp,

    /// <summary>It cannot be measured here; a note says why.</summary>
    NotMeasured,

    /// <summary>It failed; a note says how.</summary>
    Failed,
}

/// <summary>What a section measured: figures for machines, tables and notes for people.</summary>
internal sealed class SectionResult
{
    /// <summary>Its name on the command line.</summary>
    public required string Name { get; init; }

    /// <summary>Its heading.</summary>
    public required string Title { get; init; }

    /// <summary>What it ran on, <c>cpu</c> or <c>cuda</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>Whether it was a short trial, whose times say nothing.</summary>
    public bool Quick { get; init; }

    /// <summary>How far it came.</summary>
    public SectionState State { get; set; }

    /// <summary>Wall-clock time of the section.</summary>
    public double Seconds { get; set; }

    /// <summary>What is no number, by name: the device's, versions.</summary>
    public SortedDictionary<string, string> Facts { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Remarks, each a sentence.</summary>
    public List<string> Notes { get; init; } = [];

    /// <summary>Tables in the order of the report.</summary>
    public List<ResultTable> Tables { get; init; } = [];

    /// <summary>Numbers by dotted name, such as <c>throughput.resnet50-fpn.fp16.batch8.imagesPerSecond</c>.</summary>
    public SortedDictionary<string, double> Figures { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Adds an empty table.</summary>
    public ResultTable AddTable(string title, params string[] columns)
    {
        var table = new ResultTable { Title = title, Columns = columns };
        Tables.Add(table);
        return table;
    }

    /// <summary>Keeps a number; one that is not finite has no place in JSON and is left out.</summary>
    /// <returns>The number.</returns>
    public double Keep(string figure, double value)
    {
        if (double.IsFinite(value))
        {
            Figures[$"{Name}.{figure}"] = value;
        }

        return value;
    }
}

/// <summary>A table of a section; cells are text as it is shown.</summary>
internal sealed class ResultTable
{
    /// <summary>What it shows.</summary>
    public required string Title { get; init; }

    /// <summary>Headings.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>As many cells in each as there are columns.</summary>
    public List<string[]> Rows { get; init; } = [];

    /// <summary>Adds a row; numbers get three significant digits or so, null a dash.</summary>
    public void Add(params object?[] cells) => Rows.Add([.. cells.Select(Cell)]);

    private static string Cell(object? value) => value switch
    {
        null => "–",
        double number when !double.IsFinite(number) => "–",
        double number => number.ToString(Format(Math.Abs(number)), CultureInfo.InvariantCulture),
        IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? string.Empty,
    };

    private static string Format(double size) => size switch
    {
        0 => "0",
        >= 1000 => "F0",
        >= 100 => "F1",
        >= 1 => "F2",
        >= 0.01 => "F4",
        _ => "0.##E+0",
    };
}
