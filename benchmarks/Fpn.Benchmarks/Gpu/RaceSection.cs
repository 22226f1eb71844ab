using System.Text.Json;

namespace Fpn.Benchmarks.Gpu;

/// <summary>torchvision's ResNet-50-FPN on the same device: what <c>torch_race.py</c> measured before.</summary>
internal sealed class RaceSection : ISection
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <inheritdoc/>
    public string Name => "race";

    /// <inheritdoc/>
    public string Title => "Race: torchvision on the same device";

    /// <inheritdoc/>
    public async Task RunAsync(Bench bench, SectionResult result)
    {
        var output = Path.Combine(bench.Options.Output, "torch.json");
        if (!File.Exists(output))
        {
            throw new NotMeasurableException(
                "torch_race.py wrote nothing: no python3 with torch and torchvision was found, or it failed; the log "
                + "says more.");
        }

        var race = JsonSerializer.Deserialize<Race>(await File.ReadAllTextAsync(output), Json)
            ?? throw new InvalidDataException($"{output} is empty.");
        Fill(race, result);
    }

    private static void Fill(Race race, SectionResult result)
    {
        result.Notes.Add(
            $"torch {race.Torch}, torchvision {race.Torchvision}, {race.Device}, images of {race.Image}, "
            + $"{race.Proposals} proposals of each. The images are on the device already and the answers stay there:"
            + " no decoding, no resizing, no upload, no JSON.");
        var table = result.AddTable(
            "Images/s by batch", "way", "arithmetic", "batch", "images/s", "batch, ms (median)", "remark");
        foreach (var run in race.Runs)
        {
            var remark = run.Error is null ? run.Kind : $"{run.Kind}: {run.Error}";
            table.Add(run.Way, run.Precision, run.Batch, run.ImagesPerSecond, run.MedianMs, remark);
            if (run.ImagesPerSecond is { } rate)
            {
                var figure = $"{run.Way}.{run.Precision}.imagesPerSecond";
                var best = result.Figures.GetValueOrDefault($"{result.Name}.{figure}");
                result.Keep(figure, Math.Max(rate, best));
            }
        }

        result.Notes.AddRange(race.Notes);
    }

    /// <summary>What the script writes.</summary>
    private sealed record Race(
        string Torch,
        string Torchvision,
        string Device,
        string Image,
        int Proposals,
        List<TorchRun> Runs,
        List<string> Notes);

    /// <summary>One measurement of it, or why there is none.</summary>
    private sealed record TorchRun(
        string Way, string Precision, string Kind, int Batch, double? ImagesPerSecond, double? MedianMs, string? Error);
}
