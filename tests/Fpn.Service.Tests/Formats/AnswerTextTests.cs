using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;
using Fpn.Service.Answers;
using Fpn.Service.Formats;
using Fpn.Serving.Requests;
using Fpn.Testing.Fakes;

namespace Fpn.Service.Tests.Formats;

/// <summary>Each text format, worked by hand.</summary>
public sealed class AnswerTextTests
{
    /// <summary>A box of 64.25 by 32.5 pixels, and one that is the whole image of 200 by 100.</summary>
    private static readonly DetectedObject[] Two =
    [
        new(new Box(10.5f, 20.25f, 74.75f, 52.75f), 0.987654f, 1, "p2"), new(new Box(0, 0, 200, 100), 0.5f, 0, null),
    ];

    [Fact]
    public void Coco_TwoBoxes_CornerSizeAndCategory() => Assert.Equal(
        """[{"image_id":7,"category_id":90,"bbox":[10.5,20.25,64.25,32.5],"score":0.98765},"""
        + """{"image_id":7,"category_id":3,"bbox":[0,0,200,100],"score":0.5}]""",
        Body(OutputFormat.Coco, Answer(Two), 7));

    [Fact]
    public void Coco_LargestImageId_IsKeptWhole() =>
        Assert.Contains(
            "\"image_id\":9223372036854775807,",
            Body(OutputFormat.Coco, Answer(Two), long.MaxValue),
            StringComparison.Ordinal);

    [Fact]
    public void Coco_CornersOfThreeDecimals_CornerPlusSizeIsTheOtherCorner()
    {
        // 0.1 and 0.3 have no exact binary form; their difference is written as 0.2 all the same.
        DetectedObject[] one = [new(new Box(0.1f, 0.7f, 0.3f, 1.9f), 1, 0, null)];
        Assert.Contains(
            "\"bbox\":[0.1,0.7,0.2,1.2],\"score\":1}", Body(OutputFormat.Coco, Answer(one)), StringComparison.Ordinal);
    }

    [Fact]
    public void Yolo_TwoBoxes_CenterAndSizeInPartsOfTheImage() => Assert.Equal(
        "1 0.213125 0.365000 0.321250 0.325000 0.98765\n0 0.500000 0.500000 1.000000 1.000000 0.5\n",
        Body(OutputFormat.Yolo, Answer(Two)));

    [Fact]
    public void Yolo_HugeImage_BoxesComeBackWithinAHundredthOfAPixel()
    {
        var size = new ImageSize(30_000, 40_000);
        DetectedObject[] one = [new(new Box(39_000.123f, 17.5f, 39_999.877f, 29_123.456f), 1, 0, null)];
        var numbers = Body(OutputFormat.Yolo, Answer(one, size)).Split(' ').Skip(1).Take(4)
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(one[0].Box.X1, (numbers[0] - numbers[2] / 2) * size.Width, 0.01);
        Assert.Equal(one[0].Box.Y1, (numbers[1] - numbers[3] / 2) * size.Height, 0.01);
        Assert.Equal(one[0].Box.X2, (numbers[0] + numbers[2] / 2) * size.Width, 0.01);
        Assert.Equal(one[0].Box.Y2, (numbers[1] + numbers[3] / 2) * size.Height, 0.01);
    }

    [Fact]
    public void Voc_TwoBoxes_WholePixelsCountedFromOne()
    {
        var annotation = XElement.Parse(Body(OutputFormat.Voc, Answer(Two), 7));
        Assert.Equal("annotation", annotation.Name);
        Assert.Equal("7.png", (string?)annotation.Element("filename"));
        Assert.Equal(["200", "100", "3"], annotation.Element("size")!.Elements().Select(element => element.Value));
        var objects = annotation.Elements("object").ToArray();
        Assert.Equal(["car & <cat>", "person"], objects.Select(element => (string?)element.Element("name")));
        Assert.Equal(["0.98765", "0.5"], objects.Select(element => (string?)element.Element("score")));

        // 10.5 lies in the pixel that is the eleventh, 74.75 in the seventy-fifth.
        Assert.Equal(("11", "21", "75", "53"), Bounds(objects[0]));
        Assert.Equal(("1", "1", "200", "100"), Bounds(objects[1]));
        Assert.All(
            objects.SelectMany(element => (XElement?[])[element.Element("truncated"), element.Element("difficult")]),
            flag => Assert.Equal("0", flag?.Value));
    }

    [Theory]
    [InlineData(0, 0, 0, 0, "1", "1", "1", "1")]
    [InlineData(200, 100, 200, 100, "200", "100", "200", "100")]
    [InlineData(3, 4, 5, 6, "4", "5", "5", "6")]
    [InlineData(199.2f, 99.9f, 200, 100, "200", "100", "200", "100")]
    public void Voc_BoxAtThePixelsEdges_StaysInTheImageAndIsNeverEmpty(
        float x1, float y1, float x2, float y2, string xmin, string ymin, string xmax, string ymax)
    {
        var annotation = XElement.Parse(Body(OutputFormat.Voc, Answer([new(new Box(x1, y1, x2, y2), 1, 0, null)])));
        Assert.Equal((xmin, ymin, xmax, ymax), Bounds(annotation.Element("object")!));
    }

    [Fact]
    public void Voc_LabelThatXmlCannotHold_IsReplacedNotRefused()
    {
        var contract = Contract with { Labels = ["a\u0001b\uD83D\uDE00c\uD83D", "x"] };
        var answer = new DetectionAnswer(contract, Result(new ImageSize(100, 200)), [Two[1]]);
        var annotation = XElement.Parse(Body(OutputFormat.Voc, answer));
        Assert.Equal("a\uFFFDb\uD83D\uDE00c\uFFFD", (string?)annotation.Element("object")!.Element("name"));
    }

    [Fact]
    public void AllFormats_NothingFound_AreEmptyButWellFormed()
    {
        Assert.Equal("[]", Body(OutputFormat.Coco, Answer([])));
        Assert.Empty(Body(OutputFormat.Yolo, Answer([])));
        Assert.Empty(XElement.Parse(Body(OutputFormat.Voc, Answer([]))).Elements("object"));
    }

    [Fact]
    public void Yolo_MoreLinesThanOneBufferHolds_AreAllWritten()
    {
        var many = Enumerable.Repeat(Two[0], 1000).ToArray();
        var lines = Body(OutputFormat.Yolo, Answer(many)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(1000, lines.Length);
        Assert.Single(lines.Distinct());
    }

    private static ModelContract Contract { get; } =
        new FakeDetector().Contract with { Labels = ["person", "car & <cat>"], ClassIds = [3, 90] };

    private static DetectionResult Result(ImageSize size) =>
        new() { Size = size, Format = ImageFormat.Png, BatchSize = 1 };

    private static DetectionAnswer Answer(DetectedObject[] detections, ImageSize? size = null) =>
        new(Contract, Result(size ?? new ImageSize(100, 200)), detections);

    private static string Body(OutputFormat format, DetectionAnswer answer, long imageId = 0) =>
        Encoding.UTF8.GetString(AnswerText.Body(format, answer, imageId).Span);

    private static (string?, string?, string?, string?) Bounds(XElement element)
    {
        var box = element.Element("bndbox")!;
        return (Side("xmin"), Side("ymin"), Side("xmax"), Side("ymax"));

        string? Side(string name) => (string?)box.Element(name);
    }
}
