using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;

namespace Fpn.Detection.Tests.RoiHeads;

public class LevelAssignerTests
{
    private static readonly LevelAssigner P2ToP5 = new(new LevelAssignmentOptions(), 2, 5);

    [Theory]
    [InlineData(224, 224, 2)] // the canonical size: k = 4, P4
    [InlineData(112, 112, 1)]
    [InlineData(111.9f, 111.9f, 0)]
    [InlineData(112, 448, 2)] // same area as 224²
    [InlineData(448, 448, 3)]
    [InlineData(447.9f, 447.9f, 2)]
    [InlineData(1333, 800, 3)] // clamped to P5
    [InlineData(1, 1, 0)] // clamped to P2
    [InlineData(0, 50, 0)] // no area: log2 is −∞
    public void Assign_WorkedByHand_Agrees(float width, float height, int expected)
    {
        Assert.Equal(expected, P2ToP5.Assign(new Box(10, 20, 10 + width, 20 + height)));
        LevelAssigner inside = new(new LevelAssignmentOptions { Epsilon = LevelEpsilon.InsideLog }, 2, 5);
        Assert.Equal(expected, inside.Assign(new Box(10, 20, 10 + width, 20 + height)));
    }

    [Fact]
    public void Assign_JustBelowABorder_TheEpsilonDecides()
    {
        // log2(223.99992 / 224) = −5e-7: + 1e-6 lifts it over the border, 1e-8 inside the logarithm is lost.
        Box roi = new(0, 0, 223.99992f, 223.99992f);
        Assert.Equal(2, P2ToP5.Assign(roi));
        LevelAssigner inside = new(new LevelAssignmentOptions { Epsilon = LevelEpsilon.InsideLog }, 2, 5);
        Assert.Equal(1, inside.Assign(roi));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(224)]
    [InlineData(4000)]
    public void Assign_OnePooledStride_IsAlwaysTheFirst(float side)
    {
        // MobileNetV3's two maps both have stride 32, a C4 map has 16: clamp(k, 5, 5) − 5 and clamp(k, 4, 4) − 4.
        Assert.Equal(0, new LevelAssigner(new LevelAssignmentOptions(), 5, 5).Assign(new Box(0, 0, side, side)));
        Assert.Equal(0, new LevelAssigner(new LevelAssignmentOptions(), 4, 4).Assign(new Box(0, 0, side, side)));
    }

    [Fact]
    public void Assign_BadBoxes_StaysInRange()
    {
        Box[] bad =
        [
            new(0, 0, float.NaN, 1),
            new(5, 0, 0, 5),
            new(0, 0, float.PositiveInfinity, 1),
            new(float.MinValue, 0, float.MaxValue, 9),
            new(0, 0, float.PositiveInfinity, 0),
        ];
        var levels = new int[bad.Length];
        P2ToP5.Assign(bad, levels);
        Assert.Equal([0, 0, 3, 3, 0], levels);
    }

    [Fact]
    public void Assign_OtherCanonicalLevelAndSize_AreUsed()
    {
        LevelAssigner assigner = new(new LevelAssignmentOptions { CanonicalLevel = 3, CanonicalSize = 100 }, 2, 5);
        Assert.Equal(1, assigner.Assign(new Box(0, 0, 100, 100)));
        Assert.Equal(0, assigner.Assign(new Box(0, 0, 99, 99)));
    }

    [Fact]
    public void Constructor_BadArguments_Throws()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new LevelAssigner(new LevelAssignmentOptions(), 5, 2));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LevelAssigner(new LevelAssignmentOptions(), -1, 2));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => new LevelAssigner(new LevelAssignmentOptions { CanonicalSize = 0 }, 2, 5));
        Assert.Throws<ArgumentException>(() => P2ToP5.Assign(new Box[2], new int[3]));
    }
}
