using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.RoiHeads;

public sealed class RegionClassifierTests
{
    private static readonly ImageSize Resized = new(100, 200);
    private static readonly ImageSize Original = new(200, 100);
    private static readonly Box Region = new(10, 20, 30, 40);

    // Class 1 moves a width (10 · 0.1 weights) to the right, class 0 half a height up.
    private static readonly float[] ClassDeltas = [0, -5, 0, 0, 10, 0, 0, 0];

    [Fact]
    public void Classify_TorchvisionWorkedByHand_Agrees()
    {
        // Scores are 1/10, 3/10 and 6/10, background first; then everything is halved across and doubled down. The
        // region's row is the second.
        float[] logits = [0, 0, 0, 0, MathF.Log(3), MathF.Log(6)];
        float[] deltas = [.. new float[12], 9, 9, 9, 9, .. ClassDeltas];
        var (found, scores) = Classify(ConventionTable.Torchvision, logits, deltas, row: 1);

        Assert.Equal(new Box(15, 40, 25, 80), found.Box);
        Assert.Equal(1, found.Label);
        Assert.Equal(0.1f, found.Background, 1e-6f);
        Assert.Equal(0.3f, scores[0], 1e-6f);
        Assert.Equal(0.6f, scores[1], 1e-6f);
    }

    [Fact]
    public void Classify_Detectron2BackgroundIsLastAndLikeliest_BoxIsTheBestClasss()
    {
        var (found, scores) = Classify(
            ConventionTable.Detectron2, [MathF.Log(3), MathF.Log(1), MathF.Log(6)], ClassDeltas, row: 0);

        Assert.Equal(new Box(5, 20, 15, 60), found.Box);
        Assert.Equal(0, found.Label);
        Assert.Equal(0.6f, found.Background, 1e-6f);
        Assert.Equal(0.3f, scores[0], 1e-6f);
        Assert.Equal(0.1f, scores[1], 1e-6f);
    }

    [Fact]
    public void Classify_EquallyLikelyClasses_TakesTheFirst()
    {
        var (found, _) = Classify(ConventionTable.Detectron2, [1, 1, 0], ClassDeltas, row: 0);
        Assert.Equal(0, found.Label);
    }

    [Fact]
    public void Classify_BoxGrowsBeyondTheImage_IsClipped()
    {
        var (found, _) = Classify(
            ConventionTable.Detectron2, [5, 0, 0], [0, 0, 500, 500, 0, 0, 0, 0], row: 0);
        Assert.Equal(new Box(0, 0, 100, 200), found.Box);
    }

    [Theory]
    [InlineData(true, "class_logits")]
    [InlineData(false, "box_deltas")]
    public void Classify_NotFinite_NamesTheTensor(bool inLogits, string name)
    {
        float[] logits = [0, 1, inLogits ? float.NaN : 2];
        float[] deltas = [0, 0, 0, inLogits ? 0 : float.PositiveInfinity, 0, 0, 0, 0];
        var exception = Assert.Throws<NonFiniteOutputException>(
            () => Classify(ConventionTable.Detectron2, logits, deltas, row: 0));
        Assert.Contains($"'{name}'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classify_RowDoesNotExist_IsRefused() =>
        Assert.Throws<ArgumentException>(() => Classify(ConventionTable.Detectron2, [0, 1, 2], ClassDeltas, row: 1));

    private static (ClassifiedBox Found, float[] Scores) Classify(
        ConventionRules rules, float[] logits, float[] deltas, int row)
    {
        var classifier = new RegionClassifier(new RoiHeadsOptions(rules) { Classes = 2 });
        var scores = new float[classifier.Classes];
        return (classifier.Classify(logits, deltas, row, Region, Resized, Original, scores), scores);
    }
}
