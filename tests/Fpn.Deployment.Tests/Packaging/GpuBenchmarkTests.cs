using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Deployment.Tests.Packaging;

/// <summary>benchmarks/gpu: what is packed runs on a machine without .NET, and says so where it was not measured on a
/// GPU.</summary>
public sealed class GpuBenchmarkTests(PackedBenchmark packed) : IClassFixture<PackedBenchmark>
{
    private static readonly string[] Sections =
    [
        "machine", "placement", "throughput", "shapes", "parity", "service", "stages", "latency", "memory", "transfers",
            "race",
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public void Pack_Pieces_AreManyAndNoneIsLargerThanAsked()
    {
        Assert.True(packed.Pieces.Count > 2, $"{packed.Pieces.Count} pieces");
        Assert.All(packed.Pieces, piece => Assert.InRange(
            piece.Length, 1, PackedBenchmark.PieceMegabytes * 1_000_000L));
        var listed = File.ReadLines(Path.Combine(packed.Folder, "SHA256SUMS")).Select(line => line.Split("  ")[1]);
        Assert.Equal(packed.Pieces.Select(piece => piece.Name), listed);
    }

    [Fact]
    public async Task Run_QuickOnTheCpu_ReportsEverySection()
    {
        var output = packed.NewFolder();
        var (code, log, errors) = await packed.RunAsync(packed.Folder, "--provider", "cpu", "--quick", "--out", output);
        Assert.True(code == 0, log + errors);

        using var report =
            JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(output, "results-cpu.json"), Cancel));
        Assert.Equal("CPU", report.RootElement.GetProperty("machine").GetProperty("device").GetString());
        var states = report.RootElement.GetProperty("sections").EnumerateArray()
            .ToDictionary(section => section.GetProperty("name").GetString()!, section => section.GetProperty("state")
                .GetString());
        Assert.Equal(Sections, states.Keys);
        Assert.Equal("NotMeasured", states["transfers"]);

        // By what the machine has: Debian's torch, or none.
        Assert.Contains(states["race"], (string[])["Done", "NotMeasured"]);
        Assert.All(Sections.Except(["transfers", "race"]), name => Assert.Equal("Done", states[name]));
        Assert.All(
            report.RootElement.GetProperty("targets").EnumerateArray(),
            target => Assert.Equal("not measured", target.GetProperty("verdict").GetString()));

        var figures = Figures(report, "parity").Concat(Figures(report, "latency")).Concat(Figures(report, "memory"))
            .ToDictionary();
        Assert.InRange(figures["parity.blood-cells.fp32.boxDifferencePx"], 0, 0.01);
        Assert.InRange(figures["parity.blood-cells.fp32.scoreDifference"], 0, 0.0001);
        Assert.Equal(0, figures["latency.blood-cells.fp32.shapesAfterWarmUp"]);
        Assert.Equal(12, figures["memory.requests"]);
        Assert.Equal(4, figures["parity.blood-cells.fp32.answersOfTwoCallers"]);
        Assert.Equal(0, figures["parity.blood-cells.fp32.differentOfTwoCallers"]);

        var text = await File.ReadAllTextAsync(Path.Combine(output, "report.md"), Cancel);
        Assert.All(Sections, name => Assert.Contains($"`{name}`, on cpu", text, StringComparison.Ordinal));
        Assert.Contains("no figure for a GPU is in here", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OneSection_AddsToTheReportThatIsThere()
    {
        var output = packed.NewFolder();
        await AssertSucceedsAsync("--only", "transfers", "--out", output);
        Assert.Equal(["transfers"], ReportedSections(output));
        await AssertSucceedsAsync("--only", "machine", "--out", output);
        Assert.Equal(["machine", "transfers"], ReportedSections(output));
    }

    [Fact]
    public async Task Run_UnknownSection_IsRefusedWithTheKnown()
    {
        var (code, log, errors) = await packed.RunAsync(
            packed.Folder, "--provider", "cpu", "--only", "speed", "--out", packed.NewFolder());
        Assert.NotEqual(0, code);
        Assert.Contains("no section 'speed'", log + errors, StringComparison.Ordinal);
        Assert.Contains("throughput", log + errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--models", "mask", "no model 'mask'; there are blood-cells")]
    [InlineData("--variants", "int8", "no variant 'int8'; there are fp32")]
    [InlineData("--batches", "8,none", "--batches must be a whole number above 0, not 'none'")]
    public async Task Run_FilterThatNamesNothing_IsRefusedWithTheKnown(string option, string value, string message)
    {
        var (code, log, errors) = await packed.RunAsync(
            packed.Folder, "--provider", "cpu", option, value, "--only", "machine", "--out", packed.NewFolder());
        Assert.Equal(2, code);
        Assert.Contains(message, log + errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_TotalTimeIsUp_BeginsNoSectionAndEndsInTime()
    {
        var output = packed.NewFolder();
        var (code, _, errors) = await packed.RunAsync(
            packed.Folder, "--provider", "cpu", "--quick", "--total", "10", "--out", output);
        Assert.Equal(1, code);
        Assert.Contains("machine: not begun, the time is up", errors, StringComparison.Ordinal);
        Assert.Empty(ReportedSections(output));
    }

    [Fact]
    public async Task Run_CopyTo_HasTheReportAndTheLog()
    {
        var copy = packed.NewFolder();
        await AssertSucceedsAsync("--only", "machine", "--out", packed.NewFolder(), "--copy-to", copy);
        Assert.Equal(
            ["log.txt", "report.md", "results-cpu.json"],
            Directory.GetFiles(copy).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Run_WithoutTheCudaProvider_SaysWhatIsMissing()
    {
        var (code, _, errors) = await packed.RunAsync(packed.Folder, "--out", packed.NewFolder());
        Assert.Equal(1, code);
        Assert.Contains("packed without the CUDA provider", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "damaged")]
    [InlineData(false, "missing")]
    public async Task Run_PieceDamagedOrMissing_IsRefusedWithItsName(bool present, string word)
    {
        var copy = packed.NewFolder();
        foreach (var file in new DirectoryInfo(packed.Folder).EnumerateFiles())
        {
            file.CopyTo(Path.Combine(copy, file.Name));
        }

        var piece = packed.Pieces[1];
        var damaged = Path.Combine(copy, piece.Name);
        if (present)
        {
            using var stream = File.OpenWrite(damaged);
            stream.Position = piece.Length / 2;
            stream.Write("not what was packed"u8);
        }
        else
        {
            File.Delete(damaged);
        }

        var work = Path.Combine(copy, "work");
        var (code, _, errors) = await packed.RunAsync(copy, "--work", work, "--unpack-only");
        Assert.Equal(1, code);
        Assert.Contains($"Piece {piece.Name} is {word}", errors, StringComparison.Ordinal);
        Assert.DoesNotContain(packed.Pieces[0].Name, errors, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(work));
    }

    [Theory]
    [InlineData("cuda", false, 301, "reached")]
    [InlineData("cuda", false, 299, "not reached")]
    [InlineData("cuda", true, 301, "not measured")]
    [InlineData("cpu", false, 301, "not measured")]
    public async Task Report_MadeFigures_JudgesTheTargets(string provider, bool quick, int rate, string verdict)
    {
        await AssertSucceedsAsync("--unpack-only");
        var output = packed.NewFolder();
        Directory.CreateDirectory(Path.Combine(output, "sections"));
        var section = new
        {
            name = "service",
            title = "made",
            provider,
            quick,
            state = "Done",
            figures = new Dictionary<string, int> { ["service.resnet50-fpn.fp16.imagesPerSecond"] = rate },
        };
        await File.WriteAllTextAsync(
            Path.Combine(output, "sections", "service.json"), JsonSerializer.Serialize(section), Cancel);

        var program = Path.Combine(packed.Unpacked, "program", "Fpn.Benchmarks");
        var (code, _, errors) = await ProgramRun.RunAsync(output, program, "gpu", "--out", output, "--report-only");
        Assert.True(code == 0, errors);
        using var report = JsonDocument.Parse(await File.ReadAllBytesAsync(ResultsOf(output), Cancel));
        var judged = report.RootElement.GetProperty("targets").EnumerateArray()
            .Where(target => target.GetProperty("verdict").GetString() != "not measured").ToArray();
        var expected = verdict == "not measured"
            ? []
            : new[] { string.Create(CultureInfo.InvariantCulture, $"≥ 300: {rate} {verdict}") };
        Assert.Equal(
            expected,
            judged.Select(target => string.Create(
                CultureInfo.InvariantCulture,
                $"{target.GetProperty("toReach").GetString()}: {target.GetProperty("measured").GetDouble()} "
                    + $"{target.GetProperty("verdict").GetString()}")));
    }

    private static IEnumerable<KeyValuePair<string, double>> Figures(JsonDocument report, string section) =>
        report.RootElement.GetProperty("sections").EnumerateArray()
            .Single(item => item.GetProperty("name").GetString() == section)
            .GetProperty("figures").EnumerateObject()
            .Select(figure => KeyValuePair.Create(figure.Name, figure.Value.GetDouble()));

    /// <summary>The one file of results that there is.</summary>
    private static string ResultsOf(string output) => Assert.Single(Directory.GetFiles(output, "results-*.json"));

    private static string[] ReportedSections(string output)
    {
        using var report = JsonDocument.Parse(File.ReadAllBytes(ResultsOf(output)));
        return [.. report.RootElement.GetProperty("sections").EnumerateArray()
            .Select(section => section.GetProperty("name").GetString()!)];
    }

    private async Task AssertSucceedsAsync(params string[] arguments)
    {
        var (code, log, errors) = await packed.RunAsync(packed.Folder, ["--provider", "cpu", "--quick", .. arguments]);
        Assert.True(code == 0, log + errors);
    }
}
