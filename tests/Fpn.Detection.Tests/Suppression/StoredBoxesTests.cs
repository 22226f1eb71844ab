using Fpn.Detection.Geometry;
using Fpn.Detection.Suppression;

namespace Fpn.Detection.Tests.Suppression;

/// <summary>The kernel that compares a box with many: eight at a time, as one by one.</summary>
public sealed class StoredBoxesTests
{
    [Fact]
    public void FirstOverlapVector_Union_EqualsScalarTwinAndDefinition() =>
        AssertTwins<OverUnion>((a, b) => BoxOperations.IntersectionOverUnion(a, b));

    [Fact]
    public void FirstOverlapVector_SmallerBox_EqualsScalarTwinAndDefinition() =>
        AssertTwins<OverSmaller>((a, b) => BoxOperations.IntersectionOverSmaller(a, b));

    /// <summary>Thresholds are overlaps that occur, so that equality does, too.</summary>
    private static void AssertTwins<TMeasure>(Func<Box, Box, float> overlap)
        where TMeasure : struct, IOverlapMeasure
    {
        RandomTensors random = new(11);
        var boxes = random.Boxes(100, 100, 50);
        boxes[20] = new Box(30, 30, 30, 60);
        StoredBoxes stored = new();
        stored.Reserve(boxes.Length);
        for (var i = 0; i < boxes.Length; i++)
        {
            stored.Set(i, boxes[i]);
        }

        HashSet<int> found = [];
        foreach (var candidate in random.Boxes(200, 100, 50))
        {
            for (var count = 0; count < 40; count++)
            {
                var threshold = overlap(candidate, boxes[3 + random.Below(count + 1)]);
                threshold = float.IsNaN(threshold) ? 0.2f : threshold;
                var first = Array.FindIndex(boxes, 3, count, box => overlap(candidate, box) > threshold);
                Assert.Equal(first, stored.FirstOverlapScalar<TMeasure>(candidate, 3, count, threshold));
                Assert.Equal(first, stored.FirstOverlapVector<TMeasure>(candidate, 3, count, threshold));
                found.Add(first);
            }
        }

        Assert.InRange(found.Count, 20, 41);
    }
}
