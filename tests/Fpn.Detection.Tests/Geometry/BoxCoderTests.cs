using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tests.Geometry;

public class BoxCoderTests
{
    private static readonly BoxCoder Weighted = new(new BoxWeights(10, 10, 5, 5));
    private static readonly BoxCoder Plain = new(BoxWeights.One);

    [Fact]
    public void Decode_WorkedByHand_Agrees()
    {
        // 20 wide, 40 high, center (20, 40). dx 1/10 of 20 to the right, dy 2/10 of 40 up, twice as wide, as high as
        // before.
        var box = Weighted.Decode(new BoxDeltas(1, -2, 5 * MathF.Log(2), 0), new Box(10, 20, 30, 60));
        AssertNear(new Box(2, 12, 42, 52), box, 1e-4f);
    }

    [Fact]
    public void Decode_ZeroDeltas_GivesTheReference() =>
        Assert.Equal(new Box(-23, -11, 23, 11), Plain.Decode(default, new Box(-23, -11, 23, 11)));

    [Fact]
    public void Decode_LargeRatios_AreCappedAbove()
    {
        // 16 · 1000/16 = 1000, however large the delta; weights are divided out before the cap.
        Box reference = new(0, 0, 16, 16);
        AssertNear(new Box(-492, -492, 508, 508), Plain.Decode(new BoxDeltas(0, 0, 5, 1e38f), reference), 1e-2f);
        AssertNear(new Box(-492, -492, 508, 508), Weighted.Decode(new BoxDeltas(0, 0, 25, 1e38f), reference), 1e-2f);
        Assert.Equal(16 * MathF.Exp(4), Weighted.Decode(new BoxDeltas(0, 0, 20, 0), reference).Width, 1e-2f);
    }

    [Fact]
    public void Decode_SmallRatios_AreNotCappedBelow()
    {
        Box reference = new(0, 0, 16, 16);
        Assert.Equal(16 * MathF.Exp(-6), Plain.Decode(new BoxDeltas(0, 0, -6, 0), reference).Width, 1e-5f);
        Assert.Equal(0f, Plain.Decode(new BoxDeltas(0, 0, -1e38f, 0), reference).Width);
    }

    [Fact]
    public void Decode_HugeFiniteDeltas_GiveInfinitiesNotNaN()
    {
        var box = Plain.Decode(new BoxDeltas(3e38f, -3e38f, 3e38f, 3e38f), new Box(0, 0, 512, 512));
        Assert.Equal(
            new Box(
                float.PositiveInfinity, float.NegativeInfinity, float.PositiveInfinity, float.NegativeInfinity),
            box);
    }

    [Fact]
    public void EncodeThenDecode_RandomBoxes_GivesThemBack()
    {
        RandomTensors random = new(3);
        Box[] references = [.. Enumerable.Range(0, 500).Select(_ => WithArea(random))];
        Box[] boxes = [.. Enumerable.Range(0, 500).Select(_ => WithArea(random))];
        var deltas = new BoxDeltas[500];
        foreach (var coder in new[] { Plain, Weighted })
        {
            coder.Encode(boxes, references, deltas);
            var decoded = new Box[500];
            coder.Decode(deltas, references, decoded);
            for (var i = 0; i < boxes.Length; i++)
            {
                AssertNear(boxes[i], decoded[i], 2e-3f);
            }
        }
    }

    [Fact]
    public void Decode_DestinationIsReferences_Works()
    {
        Box[] boxes = [new Box(0, 0, 16, 16), new Box(10, 20, 30, 60)];
        Plain.Decode([new BoxDeltas(1, 0, 0, 0), new BoxDeltas(0, 1, 0, 0)], boxes, boxes);
        Assert.Equal([new Box(16, 0, 32, 16), new Box(10, 60, 30, 100)], boxes);
    }

    [Fact]
    public void Decode_LengthsDiffer_Throws()
    {
        Assert.Throws<ArgumentException>(() => Plain.Decode(new BoxDeltas[2], new Box[1], new Box[2]));
        Assert.Throws<ArgumentException>(() => Plain.Encode(new Box[2], new Box[2], new BoxDeltas[1]));
    }

    private static Box WithArea(RandomTensors random)
    {
        var x = random.Uniform(0, 700);
        var y = random.Uniform(0, 700);
        return new Box(x, y, x + random.Uniform(15, 500), y + random.Uniform(15, 500));
    }

    private static void AssertNear(Box expected, Box actual, float tolerance)
    {
        Assert.Equal(expected.X1, actual.X1, tolerance);
        Assert.Equal(expected.Y1, actual.Y1, tolerance);
        Assert.Equal(expected.X2, actual.X2, tolerance);
        Assert.Equal(expected.Y2, actual.Y2, tolerance);
    }
}
