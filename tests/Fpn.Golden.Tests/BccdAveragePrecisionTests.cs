using System.Globalization;
using Fpn.Testing.Goldens;
using Fpn.Testing.Running;

namespace Fpn.Golden.Tests;

/// <summary>The average precision on the BCCD test images, through HTTP, is torchvision's own.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class BccdAveragePrecisionTests(ServiceFixture fixture, ITestOutputHelper output)
{
    [Fact]
    public async Task Detect_BccdTestImages_HasTorchvisionsAveragePrecision()
    {
        var golden = GoldenFolder.ReadJson<ApGolden>("blood-cells", "ap.json");
        var split = BccdTestSplit.Require();
        Assert.Equal(golden.Images, split.Images.Count);
        var detections = new List<GoldenDetection[]>();
        foreach (var image in split.Images)
        {
            detections.Add(ServedDetections.Of(await ServedDetections.PostAsync(
                fixture.Service.Client, image, TestContext.Current.CancellationToken)));
        }

        var labels = GoldenModel.BloodCells.Meta.Labels;
        var figures = labels.ToDictionary(label => label, label =>
        {
            var (ap50, ap) = split.Score(label, detections);
            return new ApFigures(ap50, ap);
        });
        var mean = new ApFigures(figures.Values.Average(f => f.Ap50), figures.Values.Average(f => f.Ap));

        foreach (var label in labels)
        {
            Print(label, figures[label], golden.PerClass[label]);
        }

        Print("mean", mean, new ApFigures(golden.Ap50, golden.Ap));
        Assert.Equal(golden.Truths, labels.ToDictionary(
            label => label, label => split.Truths(label).Sum(boxes => boxes.Length)));
        Assert.Equal(golden.Ap50, mean.Ap50, golden.Tolerance);
        Assert.Equal(golden.Ap, mean.Ap, golden.Tolerance);
    }

    private void Print(string label, ApFigures served, ApFigures reference)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{label}: AP50 {served.Ap50:F4} (torchvision {reference.Ap50:F4}), AP {served.Ap:F4} (torchvision "
                + $"{reference.Ap:F4})");
        output.WriteLine(line);
        Console.WriteLine($"BCCD test through HTTP, {line}");
    }

    private sealed record ApFigures(double Ap50, double Ap);

    private sealed record ApGolden(
        int Images, double Tolerance, Dictionary<string, int> Truths, Dictionary<string, ApFigures> PerClass,
            double Ap50, double Ap);
}
