using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.Anchors;

public sealed class AnchorGoldenTests
{
    private const float Tolerance = 1e-4f;

    private static readonly AnchorGoldens Goldens = GoldenFolder.ReadJson<AnchorGoldens>("tensors", "anchors.json");

    /// <summary>One test for each padded size and pyramid.</summary>
    public static TheoryData<int, int, string> Pyramids
    {
        get
        {
            TheoryData<int, int, string> data = [];
            foreach (var (padded, pyramid) in Goldens.Rows.Select(row => (row.Padded, row.Pyramid)).Distinct())
            {
                data.Add(padded.Height, padded.Width, pyramid);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Pyramids))]
    public void Strides_Derived_EqualTorchvision(int height, int width, string pyramid)
    {
        foreach (var row in RowsOf(height, width, pyramid))
        {
            var generator = Generator(row, ConventionTable.Torchvision);

            var strides = generator.Strides(0, row.Padded.ToImageSize(), row.Grid.ToImageSize());

            Assert.Equal(
                (row.Level, row.DerivedStride.Y, row.DerivedStride.X), (row.Level, strides.StrideY, strides.StrideX));
        }
    }

    [Theory]
    [MemberData(nameof(Pyramids))]
    public void Anchor_Torchvision_EqualsReference(int height, int width, string pyramid)
    {
        AssertAnchors(RowsOf(height, width, pyramid), ConventionTable.Torchvision, row => row.Torchvision);
    }

    [Theory]
    [MemberData(nameof(Pyramids))]
    public void Anchor_Detectron2_EqualsReference(int height, int width, string pyramid)
    {
        AssertAnchors(RowsOf(height, width, pyramid), ConventionTable.Detectron2, row => row.Detectron2);
    }

    private static void AssertAnchors(
        IEnumerable<AnchorRow> rows, ConventionRules rules, Func<AnchorRow, float[][]> reference)
    {
        foreach (var row in rows)
        {
            var generator = Generator(row, rules);
            var (strideY, strideX) = generator.Strides(0, row.Padded.ToImageSize(), row.Grid.ToImageSize());
            for (var i = 0; i < row.Anchors.Length; i++)
            {
                var (cell, anchorInCell) = Math.DivRem(row.Anchors[i], generator.AnchorsPerCell(0));
                var (y, x) = Math.DivRem(cell, row.Grid.Width);

                var anchor = generator.Anchor(0, anchorInCell, y, x, strideY, strideX);

                var expected = reference(row)[i];
                Assert.True(
                    BoxMath.Distance(anchor, new Box(expected[0], expected[1], expected[2], expected[3])) <= Tolerance,
                    $"{row.Level}, anchor {row.Anchors[i]}: {anchor}, not ({string.Join(", ", expected)})");
            }
        }
    }

    private static IEnumerable<AnchorRow> RowsOf(int height, int width, string pyramid) =>
        Goldens.Rows.Where(row => row.Padded == new GoldenSize(height, width) && row.Pyramid == pyramid);

    private static AnchorGenerator Generator(AnchorRow row, ConventionRules rules)
    {
        int? stride = rules.FinestAnchorStride is null ? null : row.NominalStride;
        return new AnchorGenerator(new AnchorOptions(rules)
        {
            Levels = [new PyramidLevel(row.Level, row.AnchorSizes, true, stride)],
            AspectRatios = Goldens.AspectRatios,
        });
    }

    private sealed record AnchorGoldens(float[] AspectRatios, AnchorRow[] Rows);

    private sealed record AnchorRow(
        GoldenSize Padded,
        string Pyramid,
        string Level,
        float[] AnchorSizes,
        int NominalStride,
        GoldenSize Grid,
        StridePair DerivedStride,
        int[] Anchors,
        float[][] Torchvision,
        float[][] Detectron2);

    private sealed record StridePair(int Y, int X);
}
