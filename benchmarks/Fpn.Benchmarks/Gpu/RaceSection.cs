using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Fpn.Benchmarks.Gpu;

/// <summary>torchvision's ResNet-50-FPN on the same device, by <c>torch_race.py</c> in a process of its own.</summary>
internal sealed class RaceSection : ISection
{
    private const string Script = "torch_race.py";

    /// <inheritdoc/>
    public string Name => "race";

    /// <inheritdoc/>
    public string Title => "Race: torchvision on the same device";

    /// <inheritdoc/>
    public async Task RunAsync(Bench bench, SectionResult result)
    {
        if (bench.Options.Python is not { } python)
        {
            throw new NotMeasurableException("No python3 with torch and torchvision was found.");
        }

        var script = Path.Combine(AppContext.BaseDirectory, Script);
        var output = Path.Combine(Path.GetFullPath(bench.Options.Output), "torch.json");
        File.Delete(output);
        string[] arguments =
        [
            script, "--out", output, "--device", bench.OnGpu ? "cuda" : "cpu",
            "--limit", bench.TimeLeft.TotalSeconds.ToString("F0", CultureInfo.InvariantCulture),
            .. bench.Options.Quick ? ["--quick"] : Array.Empty<string>(),
        ];
        using var process = Process.Start(new ProcessStartInfo(python, arguments)) ?? throw new InvalidOperationException($"{python} did not start.");
        using CancellationTokenSource patience = new(bench.TimeLeft);
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            result.State = SectionState.TimeUp;
        }

        if (!File.Exists(output))
        {
            throw new InvalidOperationException($"{Script} wrote nothing; its last words are in the log.");
        }

        Read(output, result);
    }

    private static void Read(string file, SectionResult result)
    {
        using var answer = JsonDocument.Parse(File.ReadAllText(file));
        var root = answer.RootElement;
        result.Notes.Add(
            $"torch {root.GetProperty("torch").GetString()}, torchvision {root.GetProperty("torchvision").GetString()}, {root.GetProperty("device").GetString()}, "
            + $"images of {root.GetProperty("image").GetString()}, {root.GetProperty("proposals").GetInt32()} proposals of each. "
            + "The images are on the device already and the answers stay there: no decoding, no resizing, no upload, no JSON.");
        var table = result.AddTable("Images/s by batch", "way", "arithmetic", "batch", "images/s", "batch, ms (median)", "remark");
        foreach (var run in root.GetProperty("runs").EnumerateArray())
        {
            var (way, precision, batch) = (run.GetProperty("way").GetString(), run.GetProperty("precision").GetString(), run.GetProperty("batch").GetInt32());
            var rate = run.TryGetProperty("imagesPerSecond", out var number) ? number.GetDouble() : (double?)null;
            var milliseconds = run.TryGetProperty("medianMs", out number) ? number.GetDouble() : (double?)null;
            var remark = run.GetProperty("kind").GetString();
            table.Add(way, precision, batch, rate, milliseconds, run.TryGetProperty("error", out var error) ? $"{remark}: {error.GetString()}" : remark);
            if (rate is { } measured)
            {
                var figure = $"{way}.{precision}.imagesPerSecond";
                result.Keep(figure, Math.Max(measured, result.Figures.GetValueOrDefault($"{result.Name}.{figure}")));
            }
        }

        foreach (var note in root.GetProperty("notes").EnumerateArray())
        {
            result.Notes.Add(note.GetString()!);
        }
    }
}
