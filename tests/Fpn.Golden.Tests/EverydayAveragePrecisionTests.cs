using System.Globalization;
using System.Text.Json;
using Fpn.Testing.Goldens;
using Fpn.Testing.Running;

namespace Fpn.Golden.Tests;

/// <summary>The average precision on the validation photographs, through HTTP, is torchvision's own.</summary>
[Collection(ShippedServiceFixture.Collection)]
public sealed class EverydayAveragePrecisionTests(ShippedServiceFixture fixture, ITestOutputHelper output)
{
    private static readonly ApGolden s_golden = GoldenFolder.ReadJson<ApGolden>("everyday", "ap.json");

    [Fact]
    public async Task Detect_FirstPhotographs_HasTorchvisionsAveragePrecision() => await AssertAsync(s_golden.First);

    /// <summary>Too slow for every run; tests/Golden/README.md has the command.</summary>
    [Fact(Explicit = true)]
    public async Task Detect_AllPhotographs_HasTorchvisionsAveragePrecisionAndTheCheckpointsFigures()
    {
        var (mean, figures) = await AssertAsync(s_golden.All);
        using var result = JsonDocument.Parse(await File.ReadAllTextAsync(
            GoldenFolder.RequireShared("models", "everyday", "result.json"), TestContext.Current.CancellationToken));
        var given = result.RootElement.EnumerateObject()
            .Single(entry => entry.Name.StartsWith("package over HTTP", StringComparison.Ordinal)).Value;
        Assert.Equal(given.GetProperty("images").GetInt32(), s_golden.All.Images);
        Assert.Equal(given.GetProperty("mAP50").GetDouble(), mean.Ap50, 0.003);
        Assert.Equal(given.GetProperty("person").GetDouble(), figures["person"].Ap50, 0.003);
        Assert.Equal(given.GetProperty("car").GetDouble(), figures["car"].Ap50, 0.003);
    }

    private async Task<(ApFigures Mean, Dictionary<string, ApFigures> PerClass)> AssertAsync(ApSet golden)
    {
        var photographs = VocPhotographs.Require();
        string[] ids = [.. photographs.Validation.Take(golden.Images)];
        Assert.Equal(golden.Images, ids.Length);
        var detections = new List<GoldenDetection[]>();
        foreach (var id in ids)
        {
            var body = await ServedDetections.PostAsync(
                fixture.Service.Client, photographs.Read(id), TestContext.Current.CancellationToken);
            Assert.Equal("everyday", body.GetProperty("model").GetString());
            detections.Add(ServedDetections.Of(body));
        }

        var objects = ids.Select(photographs.Objects).ToArray();
        Assert.Equal(
            golden.Truths,
            golden.PerClass.Keys.ToDictionary(
                label => label, label => Boxes(objects, label, difficult: false).Sum(boxes => boxes.Length)));
        var figures = golden.PerClass.Keys.ToDictionary(label => label, label => Score(objects, label, detections));
        var mean = new ApFigures(figures.Values.Average(f => f.Ap50), figures.Values.Average(f => f.Ap));
        foreach (var (label, reference) in golden.PerClass)
        {
            Print(golden, label, figures[label], reference);
        }

        Print(golden, "mean", mean, new ApFigures(golden.Ap50, golden.Ap));
        Assert.Equal(golden.Ap50, mean.Ap50, s_golden.Tolerance);
        Assert.Equal(golden.Ap, mean.Ap, s_golden.Tolerance);
        return (mean, figures);
    }

    private static ApFigures Score(IReadOnlyList<VocObject>[] objects, string label, List<GoldenDetection[]> detections)
    {
        var (truths, ignored) = (Boxes(objects, label, difficult: false), Boxes(objects, label, difficult: true));
        var boxes = detections.SelectMany((found, image) => found
            .Where(detection => detection.Label == label)
            .Select(detection => new ScoredBox(image, detection.Score, detection.Box))).ToList();
        return new ApFigures(
            AveragePrecision.At(boxes, truths, 0.5, ignored),
            AveragePrecision.Thresholds.Average(iou => AveragePrecision.At(boxes, truths, iou, ignored)));
    }

    private static double[][][] Boxes(IReadOnlyList<VocObject>[] objects, string label, bool difficult) =>
        [.. objects.Select(image => image
            .Where(item => item.Label == label && item.Difficult == difficult)
            .Select(item => item.Box).ToArray())];

    private void Print(ApSet golden, string label, ApFigures served, ApFigures reference)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{label}: AP50 {served.Ap50:F4} (torchvision {reference.Ap50:F4}), "
                + $"AP {served.Ap:F4} (torchvision {reference.Ap:F4})");
        output.WriteLine(line);
        Console.WriteLine($"VOC validation, {golden.Images} photographs through HTTP, {line}");
    }

    private sealed record ApFigures(double Ap50, double Ap);

    private sealed record ApSet(
        int Images, double Ap50, double Ap, Dictionary<string, int> Truths, Dictionary<string, ApFigures> PerClass);

    private sealed record ApGolden(double Tolerance, ApSet First, ApSet All);
}
