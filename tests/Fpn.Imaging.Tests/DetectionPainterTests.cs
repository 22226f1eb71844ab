using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Imaging.Pixels;
using Fpn.Imaging.Vips;

namespace Fpn.Imaging.Tests;

/// <summary>What is drawn, told from the decoded picture.</summary>
public sealed class DetectionPainterTests
{
    private static readonly ImageDecoder Decoder = new(40_000_000, new VipsCodec());
    private static readonly DetectionPainter Painter = new(VipsLibrary.FontFolder);
    private static readonly ImageSize Size = new(240, 320);
    private static readonly Rgb Gray = new(120, 120, 120);

    [Fact]
    public void Paint_OneBox_BandInTheClassColorAndNothingChangedElsewhere()
    {
        // Touches the pixels 50 to 149 and 80 to 179.
        var picture = Paint(Size, [new PaintedObject(new Box(50.4f, 80.9f, 149.2f, 179.1f), "car 0.50", 2)]);
        var color = ClassColors.ColorFor(2);
        (int X, int Y)[] edge =
            [(50, 80), (100, 80), (149, 80), (50, 130), (149, 130), (50, 179), (100, 179), (149, 179)];
        foreach (var (x, y) in edge)
        {
            Assert.Equal(color, picture.At(x, y));
        }

        foreach (var (x, y) in ((int, int)[])[(49, 130), (150, 130), (100, 180)])
        {
            Assert.Equal(ClassColors.Outline, picture.At(x, y));
        }

        for (var y = 0; y < Size.Height; y++)
        {
            for (var x = 0; x < Size.Width; x++)
            {
                var outside = x < 49 || x > 150 || y > 180 || y < 80 - 19;
                var inside = x is > 54 and < 145 && y is > 84 and < 175;
                if (outside || inside)
                {
                    Assert.True(picture.At(x, y) == Gray, $"{x}, {y} is {picture.At(x, y)}");
                }
            }
        }
    }

    [Fact]
    public void Paint_Caption_IsDarkTextOnAPlateOfTheClassColorAboveTheBox()
    {
        var picture = Paint(Size, [new PaintedObject(new Box(50, 80, 150, 180), "car 0.50", 2)]);
        var plate = Enumerable.Range(62, 16).SelectMany(
            y => Enumerable.Range(54, 30).Select(x => picture.At(x, y))).ToArray();
        Assert.Contains(ClassColors.ColorFor(2), plate);
        Assert.Contains(plate, pixel => pixel.ContrastTo(ClassColors.ColorFor(2)) > 4);
        var longer = Paint(Size, [new PaintedObject(new Box(50, 80, 150, 180), "car and van 0.50", 2)]);
        Assert.True(Width(longer, 78) > Width(picture, 78) + 20);
    }

    [Theory]
    [InlineData(100, 0)]
    [InlineData(100, 3)]
    [InlineData(280, 100)]
    [InlineData(280, 2)]
    [InlineData(0, 235)]
    public void Paint_BoxAtAnEdge_CaptionStaysInside(int x, int y)
    {
        var box = DetectionPainter.Cover(new PaintedObject(new Box(x, y, x + 60, y + 40), "", 0), Size);
        var plate = DetectionPainter.PlaceCaption(box, 1, 60, 14, Size);
        Assert.InRange(plate.Left, 0, Size.Width - 60);
        Assert.InRange(plate.Top, 0, Size.Height - 14);
        Assert.Equal((60, 14), (plate.Right - plate.Left, plate.Bottom - plate.Top));

        var picture = Paint(Size, [new PaintedObject(new Box(x, y, x + 60, y + 40), "Platelets 0.98", 1)]);
        Assert.Equal(ClassColors.ColorFor(1), picture.At(plate.Right - 2, plate.Top + 1));
    }

    [Fact]
    public void Paint_LabelWiderThanThePicture_StartsAtItsEdge() =>
        Assert.Equal(
            new PixelRectangle(0, 4, 320, 19),
            DetectionPainter.PlaceCaption(new PixelRectangle(200, 20, 260, 60), 1, 500, 15, Size));

    [Fact]
    public void Paint_SeveralBoxes_TheBestIsOnTop()
    {
        var box = new Box(50, 80, 150, 180);
        PaintedObject[] objects = [new(box, "best 0.90", 4), new(box, "worse 0.10", 5)];
        Assert.Equal(ClassColors.ColorFor(4), Paint(Size, objects).At(100, 80));
    }

    [Theory]
    [InlineData("<b>&\"'>")]
    [InlineData("   ")]
    [InlineData("")]
    [InlineData("日本語 äöü Ω \uD83D\uDE00")]
    [InlineData("\u0001\uD83D")]
    public void Paint_AnyCaption_DrawsTheBox(string caption)
    {
        var picture = Paint(Size, [new PaintedObject(new Box(50, 80, 150, 180), caption, 2)]);
        Assert.Equal(ClassColors.ColorFor(2), picture.At(149, 130));
    }

    [Fact]
    public void Paint_CaptionOfThousands_IsCutShort()
    {
        var picture = Paint(
            new ImageSize(400, 3000), [new PaintedObject(new Box(50, 180, 150, 280), new string('m', 5000), 2)]);
        Assert.InRange(Width(picture, 177), 200, 2500);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(8, 8)]
    [InlineData(1, 300)]
    [InlineData(300, 1)]
    [InlineData(3, 5000)]
    public void Paint_TinyPictures_AreServedWithoutLetters(int height, int width)
    {
        var size = new ImageSize(height, width);
        var picture = Paint(size, [new PaintedObject(new Box(0, 0, width, height), "car 0.50", 0)]);
        Assert.Equal(size, picture.Size);
        Assert.Equal(ClassColors.ColorFor(0), picture.At(0, 0));
        Assert.Equal(ClassColors.ColorFor(0), picture.At(width - 1, height - 1));
    }

    [Fact]
    public void Paint_NoObjects_IsThePictureItself()
    {
        var picture = Paint(new ImageSize(7, 9), []);
        Assert.All(picture.Pixels, pixel => Assert.Equal(Gray, pixel));
    }

    [Fact]
    public void Paint_BoxesBeyondThePicture_AreCut()
    {
        var picture = Paint(
            Size,
            [
                new PaintedObject(new Box(-50, -50, 1000, 1000), "car 0.50", 0),
                new PaintedObject(new Box(320, 240, 320, 240), "dot 0.10", 1),
            ]);
        Assert.Equal(ClassColors.ColorFor(0), picture.At(0, 239));
        Assert.Equal(ClassColors.ColorFor(0), picture.At(319, 100));
    }

    [Fact]
    public void Paint_Jpeg_IsOneAndCloseToThePng()
    {
        PaintedObject[] objects = [new(new Box(50, 80, 150, 180), "car 0.50", 2)];
        using var image = Uniform(Size, Gray);
        using var encoded = Painter.Paint(image, objects, PictureEncoding.Jpeg);
        Assert.Equal(0xFFD8, encoded.Bytes[0] << 8 | encoded.Bytes[1]);
        var jpeg = Decode(encoded);
        var png = Paint(Size, objects);
        Assert.Equal(png.Size, jpeg.Size);
        var differences = png.Pixels.Zip(
            jpeg.Pixels,
            (one, two) =>
                Math.Abs(one.Red - two.Red) + Math.Abs(one.Green - two.Green) + Math.Abs(one.Blue - two.Blue));
        Assert.InRange(differences.Average(), 0, 6);
    }

    [Fact]
    public void Paint_Line_GrowsWithThePicture()
    {
        Assert.Equal(1, Band(new ImageSize(200, 200)));
        Assert.Equal(2, Band(new ImageSize(480, 640)));
        Assert.Equal(12, Band(new ImageSize(3000, 4000)));
    }

    private static int Band(ImageSize size)
    {
        var picture = Paint(
            size, [new PaintedObject(new Box(10, size.Height / 4, size.Width - 10, size.Height - 10), "", 3)]);
        return Enumerable.Range(0, size.Width / 2)
            .Count(x => picture.At(x, size.Height / 2) == ClassColors.ColorFor(3));
    }

    private static int Width(Painted picture, int row) =>
        Enumerable.Range(0, picture.Size.Width).Count(x => picture.At(x, row) == ClassColors.ColorFor(2));

    private static Painted Paint(ImageSize size, IReadOnlyList<PaintedObject> objects)
    {
        using var image = Uniform(size, Gray);
        using var encoded = Painter.Paint(image, objects, PictureEncoding.Png);
        return Decode(encoded);
    }

    private static DecodedImage Uniform(ImageSize size, Rgb color)
    {
        var buffer = PixelBuffer.Allocate((int)size.Area * 3);
        new PixelCanvas(buffer.Bytes, size).Fill(new PixelRectangle(0, 0, size.Width, size.Height), color);
        return new DecodedImage(ImageFormat.Png, size, buffer);
    }

    private static Painted Decode(EncodedPicture encoded)
    {
        using var image = Decoder.Decode(encoded.Bytes).Image
            ?? throw new InvalidOperationException("The picture cannot be decoded.");
        var pixels = new Rgb[image.Size.Area];
        for (var i = 0; i < pixels.Length; i++)
        {
            pixels[i] = new Rgb(image.Pixels[i * 3], image.Pixels[i * 3 + 1], image.Pixels[i * 3 + 2]);
        }

        return new Painted(image.Size, pixels);
    }

    private sealed record Painted(ImageSize Size, Rgb[] Pixels)
    {
        public Rgb At(int x, int y) => Pixels[y * Size.Width + x];
    }
}
