using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tests.Anchors;

public class AnchorGeneratorTests
{
    private static readonly float[] FpnSizes = [32, 64, 128, 256, 512];

    [Fact]
    public void CellAnchors_TorchvisionSize32_WorkedByHand()
    {
        // √0.5 = 0.7071: 32 / 0.7071 / 2 = 22.63 wide, 32 · 0.7071 / 2 = 11.31 high, on each side of the center.
        AnchorGenerator anchors = new(Fpn());
        Assert.Equal(
            [new Box(-23, -11, 23, 11), new Box(-16, -16, 16, 16), new Box(-11, -23, 11, 23)],
            anchors.CellAnchors(0).ToArray());
    }

    [Fact]
    public void CellAnchors_HalfPixels_AreRoundedToEven()
    {
        // 1/2 = 0.5 → 0, 3/2 → 2, 5/2 → 2, 7/2 → 4.
        AnchorGenerator anchors = new(
            new AnchorOptions { Levels = [new("c4", [1, 3, 5, 7], true)], AspectRatios = [1] });
        Assert.Equal([0f, 2f, 2f, 4f], anchors.CellAnchors(0).ToArray().Select(anchor => anchor.X2));
        Assert.Equal([-0f, -2f, -2f, -4f], anchors.CellAnchors(0).ToArray().Select(anchor => anchor.Y1));
    }

    [Fact]
    public void CellAnchors_Detectron2Size32_IsNotRounded()
    {
        AnchorGenerator anchors = new(Fpn(ConventionTable.Detectron2));
        var wide = anchors.CellAnchors(0)[0];

        // √(32² / 0.5) / 2 = 22.62742, half of that high.
        Assert.Equal(22.627417f, wide.X2);
        Assert.Equal(11.3137085f, wide.Y2);
        Assert.Equal(-22.627417f, wide.X1);
        Assert.Equal(-11.3137085f, wide.Y1);
    }

    [Fact]
    public void CellAnchors_Detectron2RatioNotExactInBinary_IsTakenAsWritten()
    {
        AnchorGenerator anchors = new(new AnchorOptions(ConventionTable.Detectron2)
        {
            Levels = [new("c4", [30.3f], true)],
            AspectRatios = [0.33f],
        });
        var width = Math.Sqrt(30.3 * 30.3 / 0.33);
        Assert.Equal((float)(width / 2), anchors.CellAnchors(0)[0].X2);
        Assert.Equal((float)(0.33 * width / 2), anchors.CellAnchors(0)[0].Y2);
    }

    [Fact]
    public void CellAnchors_SeveralSizes_RatioOuterInTorchvisionSizeOuterInDetectron2()
    {
        PyramidLevel level = new("p4", FpnSizes, true);
        AnchorGenerator torchvision = new(new AnchorOptions { Levels = [level] });
        AnchorGenerator detectron2 = new(
            new AnchorOptions(ConventionTable.Detectron2) { Levels = [level], Rounded = true });

        Assert.Equal(15, torchvision.AnchorsPerCell(0));
        Assert.Equal(new Box(-23, -11, 23, 11), torchvision.CellAnchors(0)[0]);
        Assert.Equal(new Box(-45, -23, 45, 23), torchvision.CellAnchors(0)[1]);
        Assert.Equal(new Box(-16, -16, 16, 16), torchvision.CellAnchors(0)[5]);
        Assert.Equal(new Box(-23, -11, 23, 11), detectron2.CellAnchors(0)[0]);
        Assert.Equal(new Box(-16, -16, 16, 16), detectron2.CellAnchors(0)[1]);
        Assert.Equal(new Box(-45, -23, 45, 23), detectron2.CellAnchors(0)[3]);
    }

    [Fact]
    public void Strides_Height800_P6IsSixtyOne()
    {
        // 800 / 13 = 61.5, rounded down; 1344 / 21 = 64.
        AnchorGenerator anchors = new(Fpn());
        Assert.Equal((61, 64), anchors.Strides(4, new ImageSize(800, 1344), new ImageSize(13, 21)));
        Assert.Equal((4, 4), anchors.Strides(0, new ImageSize(800, 1344), new ImageSize(200, 336)));
    }

    [Fact]
    public void Strides_Fixed_AreGiven()
    {
        AnchorGenerator anchors = new(new AnchorOptions { Levels = [new("p6", [512], false, 64)] });
        Assert.Equal((64, 64), anchors.Strides(0, new ImageSize(800, 1344), new ImageSize(13, 21)));
    }

    [Fact]
    public void Strides_EmptyGrid_DoesNotDivideByZero() =>
        Assert.Equal((32, 32), new AnchorGenerator(Fpn()).Strides(4, new ImageSize(32, 32), new ImageSize(0, 0)));

    [Fact]
    public void Anchor_LastCellOfP6_WorkedByHand()
    {
        // Row 12 at stride 61, column 20 at stride 64; size 512 at ratio 1 is ±256.
        var anchor = new AnchorGenerator(Fpn()).Anchor(4, 1, 12, 20, 61, 64);
        Assert.Equal(new Box(1280 - 256, 732 - 256, 1280 + 256, 732 + 256), anchor);
    }

    [Theory]
    [InlineData(AnchorOrder.RatioOuter)]
    [InlineData(AnchorOrder.SizeOuter)]
    public void Shape_EachAnchorOfACell_IsWhatItWasMadeFrom(AnchorOrder order)
    {
        AnchorGenerator anchors = new(new AnchorOptions
        {
            Levels = [new("p2", [64], true), new("p3", [32, 128], true)],
            AspectRatios = [0.25f, 4],
            Rounded = false,
            Order = order,
        });
        Assert.Equal([(64, 0.25f), (64, 4)], Enumerable.Range(0, 2).Select(anchor => anchors.Shape(0, anchor)));
        (float, float)[] shapes = [.. Enumerable.Range(0, 4).Select(anchor => anchors.Shape(1, anchor))];
        Assert.Equal(
            order == AnchorOrder.RatioOuter
                ? [(32, 0.25f), (128, 0.25f), (32, 4), (128, 4)]
                : [(32, 0.25f), (32, 4), (128, 0.25f), (128, 4)],
            shapes);
        for (var anchor = 0; anchor < shapes.Length; anchor++)
        {
            var cell = anchors.CellAnchors(1)[anchor];
            Assert.Equal(shapes[anchor].Item1, MathF.Sqrt(cell.Area), 1e-3f);
            Assert.Equal(shapes[anchor].Item2, cell.Height / cell.Width, 1e-5f);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => anchors.Shape(0, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => anchors.Shape(0, -1));
    }

    [Fact]
    public void Constructor_BadOptions_Throws()
    {
        AnchorOptions[] bad =
        [
            Fpn() with { Levels = [] },
            Fpn() with { Levels = [new("p2", [], true)] },
            Fpn() with { Levels = [new("p2", [0], true)] },
            Fpn() with { Levels = [new("p2", [32], true, 0)] },
            Fpn() with { AspectRatios = [float.NaN] },
        ];

        Assert.All(bad, options => Assert.Throws<ArgumentException>(() => new AnchorGenerator(options)));
    }

    [Fact]
    public void CellAnchors_NoSuchLevel_Throws()
    {
        AnchorGenerator anchors = new(Fpn());
        Assert.Throws<ArgumentOutOfRangeException>(() => anchors.AnchorsPerCell(5));
        Assert.Throws<ArgumentOutOfRangeException>(() => anchors.AnchorsPerCell(-1));
    }

    private static AnchorOptions Fpn() => Fpn(ConventionTable.Torchvision);

    private static AnchorOptions Fpn(ConventionRules rules) => new(rules)
    {
        Levels = [.. FpnSizes.Select((size, i) => new PyramidLevel($"p{i + 2}", [size], i < 4))],
    };
}
