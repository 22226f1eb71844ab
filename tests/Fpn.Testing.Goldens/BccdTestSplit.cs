using System.Globalization;
using System.Xml.Linq;

namespace Fpn.Testing.Goldens;

/// <summary>The 72 test images of BCCD with what is annotated in them; they lie in the shared data.</summary>
internal sealed class BccdTestSplit
{
    private static readonly string[] Corners = ["xmin", "ymin", "xmax", "ymax"];

    private readonly ILookup<string, double[]>[] _truths;

    private BccdTestSplit(string[] names)
    {
        Images = [.. names.Select(
            name => File.ReadAllBytes(GoldenFolder.RequireShared("data", "bccd", "JPEGImages", $"{name}.jpg")))];
        _truths = [.. names.Select(
            name => ReadTruths(GoldenFolder.RequireShared("data", "bccd", "Annotations", $"{name}.xml")))];
    }

    /// <summary>The encoded images, in the order of the list.</summary>
    public IReadOnlyList<byte[]> Images { get; }

    /// <summary>Reads all; skips the test where the shared data is absent.</summary>
    public static BccdTestSplit Require() => new(
        File.ReadAllText(GoldenFolder.RequireShared("data", "bccd", "ImageSets", "Main", "test.txt"))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The annotated boxes of a label, image by image.</summary>
    public IReadOnlyList<double[][]> Truths(string label) => [.. _truths.Select(truths => truths[label].ToArray())];

    /// <summary>AP at an overlap of 0.5 and COCO's mean over 0.5 … 0.95, of one label.</summary>
    /// <param name="label">Its name.</param>
    /// <param name="detections">Those of each image.</param>
    public (double Ap50, double Ap) Score(string label, IReadOnlyList<IReadOnlyList<GoldenDetection>> detections)
    {
        var truths = Truths(label);
        var boxes = detections.SelectMany((found, image) => found
            .Where(detection => detection.Label == label)
            .Select(detection => new ScoredBox(image, detection.Score, detection.Box))).ToList();
        return (AveragePrecision.At(boxes, truths, 0.5), AveragePrecision.Thresholds.Average(
            iou => AveragePrecision.At(boxes, truths, iou)));
    }

    /// <summary>The boxes of each label; those under 2 pixels are no objects (two in the whole data set).</summary>
    private static ILookup<string, double[]> ReadTruths(string path) => XDocument.Load(path).Root!
        .Elements("object")
        .Select(item => (
            Label: item.Element("name")!.Value,
            Box: Corners.Select(corner => double.Parse(
                item.Element("bndbox")!.Element(corner)!.Value, CultureInfo.InvariantCulture)).ToArray()))
        .Where(item => item.Box[2] - item.Box[0] >= 2 && item.Box[3] - item.Box[1] >= 2)
        .ToLookup(item => item.Label, item => item.Box);
}
