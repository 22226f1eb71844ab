using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tests.Geometry;

public class BoxOperationsTests
{
    [Fact]
    public void IntersectionOverUnion_WorkedByHand_Agrees()
    {
        Box square = new(0, 0, 10, 10);

        // 5·5 = 25 shared of 100 + 100 − 25 = 175.
        Assert.Equal(25f / 175f, BoxOperations.IntersectionOverUnion(square, new Box(5, 5, 15, 15)));
        Assert.Equal(0.5f, BoxOperations.IntersectionOverUnion(square, new Box(0, 0, 10, 5)));
        Assert.Equal(1f, BoxOperations.IntersectionOverUnion(square, square));
        Assert.Equal(0f, BoxOperations.IntersectionOverUnion(square, new Box(10, 0, 20, 10)));
        Assert.Equal(0f, BoxOperations.IntersectionOverUnion(square, new Box(30, 30, 40, 40)));
        Assert.Equal(0f, BoxOperations.IntersectionOverUnion(square, new Box(5, 5, 5, 5)));
    }

    [Fact]
    public void IntersectionOverUnion_TwoBoxesWithoutArea_IsNaN()
    {
        Box point = new(5, 5, 5, 5);
        Assert.True(float.IsNaN(BoxOperations.IntersectionOverUnion(point, point)));
    }

    [Fact]
    public void Clip_BoxAcrossTheBorder_EndsAtTheBorder()
    {
        Assert.Equal(new Box(0, 0, 40, 30), BoxOperations.Clip(new Box(-5, -6, 41, 1e38f), new ImageSize(30, 40)));
        Assert.Equal(new Box(40, 0, 40, 3), BoxOperations.Clip(new Box(50, -3, 60, 3), new ImageSize(30, 40)));
        Assert.Equal(
            new Box(0, 0, 40, 30),
            BoxOperations.Clip(
                new Box(float.NegativeInfinity, 0, float.PositiveInfinity, float.PositiveInfinity),
                new ImageSize(30, 40)));
        Assert.True(float.IsNaN(BoxOperations.Clip(new Box(float.NaN, 0, 1, 1), new ImageSize(30, 40)).X1));
    }

    [Fact]
    public void ToOriginal_SidesRoundedSeparately_UsesTheRatioOfEachAxis()
    {
        // 480×640 was resized to 800×1066: 480/800 = 0.6 down, 640/1066 = 0.600375… across.
        var box = BoxOperations.ToOriginal(
            new Box(533, 400, 1066, 800), new ImageSize(800, 1066), new ImageSize(480, 640));
        Assert.Equal(320f, box.X1, 1e-4f);
        Assert.Equal(240f, box.Y1, 1e-4f);
        Assert.Equal(640f, box.X2, 1e-4f);
        Assert.Equal(480f, box.Y2, 1e-4f);
    }

    [Fact]
    public void ToOriginal_AnySize_StaysInsideTheOriginal()
    {
        RandomTensors random = new(2);
        for (var i = 0; i < 2000; i++)
        {
            ImageSize resized = new(1 + random.Below(1333), 1 + random.Below(1333));
            ImageSize original = new(1 + random.Below(5000), 1 + random.Below(5000));
            var box = BoxOperations.ToOriginal(new Box(0, 0, resized.Width, resized.Height), resized, original);
            Assert.True(box.X2 <= original.Width && box.Y2 <= original.Height);
            Assert.Equal(original.Width, box.X2, original.Width * 1e-6f);
            Assert.Equal(original.Height, box.Y2, original.Height * 1e-6f);
        }
    }
}
