using System.Globalization;
using System.Xml.Linq;
using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Golden;

/// <summary>The average precision on the BCCD test images, through HTTP, is torchvision's own.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class BccdAveragePrecisionTests(ServiceFixture fixture, ITestOutputHelper output)
{
    private static readonly string[] Corners = ["xmin", "ymin", "xmax", "ymax"];

    [Fact]
    public async Task Detect_BccdTestImages_HasTorchvisionsAveragePrecision()
    {
        var golden = GoldenFolder.ReadJson<ApGolden>("blood-cells", "ap.json");
        var names = (await File.ReadAllTextAsync(GoldenFolder.RequireShared("data", "bccd", "ImageSets", "Main", "test.txt"), Cancel))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(golden.Images, names.Length);
        var labels = GoldenCase.Meta.Labels;
        var truths = labels.ToDictionary(label => label, _ => new List<double[][]>());
        var detections = labels.ToDictionary(label => label, _ => new List<ScoredBox>());
        for (var image = 0; image < names.Length; image++)
        {
            var annotated = ReadTruths(GoldenFolder.RequireShared("data", "bccd", "Annotations", $"{names[image]}.xml"));
            foreach (var label in labels)
            {
                truths[label].Add([.. annotated[label]]);
            }

            var encoded = await File.ReadAllBytesAsync(GoldenFolder.RequireShared("data", "bccd", "JPEGImages", $"{names[image]}.jpg"), Cancel);
            foreach (var found in ServedDetections.Of(await ServedDetections.PostAsync(fixture.Service.Client, encoded, Cancel)))
            {
                detections[found.Label].Add(new ScoredBox(image, found.Score, found.Box));
            }
        }

        var figures = labels.ToDictionary(label => label, label => new ApFigures(
            AveragePrecision.At(detections[label], truths[label], 0.5),
            AveragePrecision.Thresholds.Average(iou => AveragePrecision.At(detections[label], truths[label], iou))));
        var mean = new ApFigures(figures.Values.Average(f => f.Ap50), figures.Values.Average(f => f.Ap));

        foreach (var label in labels)
        {
            Print(label, figures[label], golden.PerClass[label]);
        }

        Print("mean", mean, new ApFigures(golden.Ap50, golden.Ap));
        Assert.Equal(golden.Truths, labels.ToDictionary(label => label, label => truths[label].Sum(boxes => boxes.Length)));
        Assert.Equal(golden.Ap50, mean.Ap50, golden.Tolerance);
        Assert.Equal(golden.Ap, mean.Ap, golden.Tolerance);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The boxes of each label; those under 2 pixels are no objects (two in the whole data set).</summary>
    private static ILookup<string, double[]> ReadTruths(string path) => XDocument.Load(path).Root!
        .Elements("object")
        .Select(item => (
            Label: item.Element("name")!.Value,
            Box: Corners.Select(corner => double.Parse(item.Element("bndbox")!.Element(corner)!.Value, CultureInfo.InvariantCulture)).ToArray()))
        .Where(item => item.Box[2] - item.Box[0] >= 2 && item.Box[3] - item.Box[1] >= 2)
        .ToLookup(item => item.Label, item => item.Box);

    private void Print(string label, ApFigures served, ApFigures reference)
    {
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{label}: AP50 {served.Ap50:F4} (torchvision {reference.Ap50:F4}), AP {served.Ap:F4} (torchvision {reference.Ap:F4})");
        output.WriteLine(line);
        Console.WriteLine($"BCCD test through HTTP, {line}");
    }

    private sealed record ApFigures(double Ap50, double Ap);

    private sealed record ApGolden(
        int Images, double Tolerance, Dictionary<string, int> Truths, Dictionary<string, ApFigures> PerClass, double Ap50, double Ap);
}
