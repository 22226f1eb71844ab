using System.Globalization;
using System.Xml.Linq;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Testing.Goldens;

namespace Fpn.Benchmarks.Gpu;

/// <summary>Images with annotations in Pascal VOC's XML, for the average precision of answers.</summary>
internal sealed class AnnotatedImages
{
    private static readonly string[] Corners = ["xmin", "ymin", "xmax", "ymax"];

    private readonly ILookup<string, double[]>[] _truths;

    /// <summary>Reads a folder.</summary>
    /// <param name="folder">With <c>images/NAME.jpg</c> and <c>annotations/NAME.xml</c>.</param>
    public AnnotatedImages(string folder)
    {
        var names = Directory.EnumerateFiles(Path.Combine(folder, "images"), "*.jpg")
            .Select(file => Path.GetFileNameWithoutExtension(file)).Order(StringComparer.Ordinal).ToArray();
        Images = [.. names.Select(name => File.ReadAllBytes(Path.Combine(folder, "images", $"{name}.jpg")))];
        _truths = [.. names.Select(name => ReadTruths(Path.Combine(folder, "annotations", $"{name}.xml")))];
    }

    /// <summary>The encoded images.</summary>
    public IReadOnlyList<byte[]> Images { get; }

    /// <summary>Whether a model knows the labels that are annotated.</summary>
    public bool Fit(ModelContract contract) =>
        _truths.SelectMany(truths => truths.Select(group => group.Key)).All(label => contract.Labels.Contains(label));

    /// <summary>
    /// Mean over the labels of the AP at an overlap of 0.5, and of COCO's mean over 0.5 … 0.95; and how many images
    /// were counted.
    /// </summary>
    /// <param name="contract">Names the labels.</param>
    /// <param name="detections">Those of each image, or of the first ones, which alone count then.</param>
    public (double Ap50, double Ap, int Images) Score(
        ModelContract contract, IReadOnlyList<DetectedObject[]> detections)
    {
        var counted = _truths[..detections.Count];
        var labels = contract.Labels.Where(label => counted.Any(truths => truths.Contains(label))).ToArray();
        var (ap50, ap) = (0.0, 0.0);
        foreach (var label in labels)
        {
            var truths = counted.Select(image => image[label].ToArray()).ToArray();
            var found = detections.SelectMany((objects, image) => objects
                .Where(item => contract.Labels[item.Label] == label)
                .Select(item => Scored(image, item))).ToList();
            ap50 += AveragePrecision.At(found, truths, 0.5) / labels.Length;
            ap += AveragePrecision.Thresholds.Average(iou => AveragePrecision.At(found, truths, iou)) / labels.Length;
        }

        return (ap50, ap, counted.Length);
    }

    private static ScoredBox Scored(int image, DetectedObject found) =>
        new(image, found.Score, [found.Box.X1, found.Box.Y1, found.Box.X2, found.Box.Y2]);

    private static ILookup<string, double[]> ReadTruths(string file)
    {
        return XDocument.Load(file).Root!.Elements("object").ToLookup(
            item => item.Element("name")!.Value.Trim(),
            item => Corners.Select(corner => Number(item.Element("bndbox")!.Element(corner)!)).ToArray());

        static double Number(XElement element) => double.Parse(element.Value, CultureInfo.InvariantCulture);
    }
}
