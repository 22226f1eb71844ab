using Fpn.Detection.Geometry;
using Fpn.Detection.Suppression;

namespace Fpn.Detection.Tests.Suppression;

public class NonMaxSuppressionTests
{
    private static readonly Box Square = new(0, 0, 10, 10);

    [Fact]
    public void Select_WorkedByHand_RemovesWhatOverlapsABetterOne()
    {
        // IoU with the square: 0.6 and 0.5; with each other 5/6.
        Box[] boxes = [new(0, 0, 10, 5), Square, new(0, 0, 10, 6)];
        Assert.Equal([1, 0], Keep(boxes, [0.7f, 0.9f, 0.8f], [0, 0, 0], 0.5));
        Assert.Equal([1, 2], Keep(boxes, [0.7f, 0.9f, 0.8f], [0, 0, 0], 0.65));
        Assert.Equal([1, 2, 0], Keep(boxes, [0.7f, 0.9f, 0.8f], [0, 0, 0], 0.9));
    }

    [Fact]
    public void Select_OverlapEqualToThreshold_IsKept() =>
        Assert.Equal([0, 1], Keep([Square, new(0, 0, 10, 5)], [0.9f, 0.8f], [0, 0], 0.5));

    [Fact]
    public void Select_ThresholdNotExactInFloat_DecidesAsInDouble()
    {
        // 10 / 100 in float32 is 0.100000001…, which is greater than the double 0.1; 7 / 10 is 0.69999998…, less than
        // 0.7.
        Assert.Equal([0], Keep([Square, new(0, 0, 10, 1)], [0.9f, 0.8f], [0, 0], 0.1));
        Assert.Equal([0, 1], Keep([Square, new(0, 0, 10, 7)], [0.9f, 0.8f], [0, 0], 0.7));
    }

    [Fact]
    public void Select_EqualScores_KeepsTheEarlier()
    {
        Box[] boxes = [Square, Square, new(50, 50, 60, 60), Square];
        Assert.Equal([0, 2], Keep(boxes, [0.5f, 0.5f, 0.5f, 0.5f], [0, 0, 0, 0], 0.5));
    }

    [Fact]
    public void Select_OtherGroup_DoesNotRemove() =>
        Assert.Equal([0, 1], Keep([Square, Square, Square], [0.9f, 0.8f, 0.7f], [0, 3, 0], 0.5));

    [Fact]
    public void Select_TwoBoxesWithoutArea_AreBothKept() =>
        Assert.Equal([0, 1], Keep([new(5, 5, 5, 5), new(5, 5, 5, 5)], [0.9f, 0.8f], [0, 0], 0.5));

    [Fact]
    public void FindRemovers_WorkedByHand_NamesTheBestThatOverlaps()
    {
        // Best first: the square (1), then its upper 6 rows (2: IoU 0.6), then its upper 5 (0: IoU 0.5 with 1, 5/6 with
        // 2); 3 is the square again in another group, 4 the upper 8 rows of the square there.
        Box[] boxes = [new(0, 0, 10, 5), Square, new(0, 0, 10, 6), Square, new(0, 0, 10, 8)];
        float[] scores = [0.7f, 0.9f, 0.8f, 0.6f, 0.5f];
        int[] groups = [0, 0, 0, 1, 1];
        AssertRemovers(0.55, [1, 0, 3], [-1, -1, 0, -1, 2], [0, 0, 0.6f, 0, 0.8f]);
        AssertRemovers(0.65, [1, 2, 3], [1, -1, -1, -1, 2], [5 / 6f, 0, 0, 0, 0.8f]);
        AssertRemovers(0.45, [1, 3], [0, -1, 0, -1, 1], [0.5f, 0, 0.6f, 0, 0.8f]);

        // With room for one, the others that nothing removes are only beyond it.
        AssertRemovers(0.65, [1], [-1, -1, -1, -1, -1], [0, 0, 0, 0, 0]);
        AssertRemovers(0.65, [], [-1, -1, -1, -1, -1], [0, 0, 0, 0, 0]);

        void AssertRemovers(double threshold, int[] kept, int[] removers, float[] overlaps)
        {
            NonMaxSuppression suppression = new(threshold, 1000);
            var actual = new int[kept.Length];
            Assert.Equal(kept.Length, suppression.Select(boxes, scores, groups, actual));
            Assert.Equal(kept, actual);
            var actualRemovers = new int[boxes.Length];
            var actualOverlaps = new float[boxes.Length];
            suppression.FindRemovers(boxes, scores, groups, kept, actualRemovers, actualOverlaps);
            Assert.Equal(removers, actualRemovers);
            Assert.Equal(overlaps, actualOverlaps);
        }
    }

    [Fact]
    public void FindRemovers_LengthsDiffer_Throws() => Assert.Throws<ArgumentException>(() =>
        new NonMaxSuppression(0.5, 1000).FindRemovers(
            new Box[2], new float[2], new int[2], [], new int[1], new float[2], TestContext.Current.CancellationToken));

    [Fact]
    public void Select_MoreThanAsked_KeepsTheBest()
    {
        Box[] boxes = [Square, new(20, 0, 30, 10), new(40, 0, 50, 10)];
        Assert.Equal([2, 0], Keep(boxes, [0.5f, 0.4f, 0.6f], [0, 0, 0], 0.5, 2));
    }

    [Fact]
    public void Select_Nothing_GivesNothing()
    {
        Assert.Empty(Keep([], [], [], 0.5));
        Assert.Empty(Keep([Square], [1], [0], 0.5, 0));
    }

    [Theory]
    [InlineData(1000, 1000, true)]
    [InlineData(1000, 1001, false)]
    [InlineData(40_000, 1001, true)]
    public void Select_NearTheThreshold_TheShiftDecides(int maxShiftedBoxes, int count, bool bothKept)
    {
        // In group 90 the shift is 90 · (1332 + 1) = 119,970, where float32 counts in 1/128: the lower edge 0.503
        // becomes 64/128 = 0.5. So the IoU of the pair is 0.503 unshifted and 0.5 shifted, with a threshold of 0.5.
        var boxes = new Box[count];
        var groups = new int[count];
        var scores = new float[count];
        Array.Fill(boxes, new Box(0, 0, 1332, 1332));
        boxes[0] = new Box(0, 0, 1, 1);
        boxes[1] = new Box(0, 0, 1, 0.503f);
        groups[0] = groups[1] = 90;
        scores[0] = 0.9f;
        scores[1] = 0.8f;
        Assert.Equal(bothKept ? [0, 1, 2] : [0, 2], Keep(boxes, scores, groups, 0.5, maxShiftedBoxes: maxShiftedBoxes));
    }

    [Theory]
    [InlineData(300, 1, 40, 100f)]
    [InlineData(300, 5, 40, 100f)]
    [InlineData(1000, 90, 300, 1333f)]
    [InlineData(1001, 90, 300, 1333f)]
    [InlineData(2500, 5, 60, 1333f)]
    [InlineData(400, 60, 100, 3e6f)]
    public void Select_RandomBoxes_EqualsTheDefinition(int count, int groupCount, float maxSide, float extent)
    {
        foreach (var maxShiftedBoxes in new[] { 1000, 40_000 })
        {
            for (var seed = 0; seed < 4; seed++)
            {
                RandomTensors random = new(seed);
                var boxes = random.Boxes(count, extent, Math.Min(maxSide, extent / 2));
                var scores = seed % 2 == 0 ? random.Normal(count) : random.Coarse(count, 4);
                int[] groups = [.. Enumerable.Range(0, count).Select(_ => random.Below(groupCount))];
                var threshold = seed < 2 ? 0.5 : 0.05;
                var most = seed == 3 ? 50 : count;
                Assert.Equal(
                    ReferenceSuppression.Select(boxes, scores, groups, threshold, maxShiftedBoxes, most),
                    Keep(boxes, scores, groups, threshold, most, maxShiftedBoxes));
            }
        }
    }

    [Theory]
    [InlineData(300, 5, 40, 100f)]
    [InlineData(1000, 90, 300, 1333f)]
    [InlineData(1001, 90, 300, 1333f)]
    [InlineData(400, 1, 100, 400f)]
    public void FindRemovers_RandomBoxes_EachIsKeptOrRemovedByTheBestThatOverlaps(
        int count, int groupCount, float maxSide, float extent)
    {
        foreach (var maxShiftedBoxes in new[] { 1000, 40_000 })
        {
            RandomTensors random = new(3);
            var boxes = random.Boxes(count, extent, Math.Min(maxSide, extent / 2));
            var scores = random.Coarse(count, 4);
            int[] groups = [.. Enumerable.Range(0, count).Select(_ => random.Below(groupCount))];
            NonMaxSuppression suppression = new(0.3, maxShiftedBoxes);
            var kept = new int[count];
            kept = kept[..suppression.Select(boxes, scores, groups, kept, TestContext.Current.CancellationToken)];
            var removers = new int[count];
            var overlaps = new float[count];
            suppression.FindRemovers(
                boxes, scores, groups, kept, removers, overlaps, TestContext.Current.CancellationToken);

            Assert.InRange(kept.Length, 1, count - 1);
            Assert.Equal(kept.Order(), Enumerable.Range(0, count).Where(i => removers[i] < 0));
            var step = count > maxShiftedBoxes
                ? 0
                : boxes.Max(box => Math.Max(Math.Max(box.X1, box.Y1), Math.Max(box.X2, box.Y2))) + 1;
            Assert.All(
                Enumerable.Range(0, count).Except(kept),
                i =>
                {
                    var place = Array.FindIndex(kept, other => groups[other] == groups[i] && Overlap(other, i) > 0.3);
                    Assert.Equal(place, removers[i]);
                    Assert.Equal(Overlap(kept[place], i), overlaps[i]);
                });

            float Overlap(int a, int b) => BoxOperations.IntersectionOverUnion(ShiftedBox(a), ShiftedBox(b));

            Box ShiftedBox(int i)
            {
                var (box, shift) = (boxes[i], groups[i] * step);
                return new Box(box.X1 + shift, box.Y1 + shift, box.X2 + shift, box.Y2 + shift);
            }
        }
    }

    [Fact]
    public void Select_GroupsPushedTogetherByRounding_EqualsTheDefinition()
    {
        // Around 6 · 2^24 float32 counts in eights: the gap of 1 between shifted groups is gone, and boxes of
        // neighboring groups can overlap. The reference then lets them remove each other.
        const float Far = 1 << 24;
        RandomTensors random = new(7);
        Box[] boxes = [.. Enumerable.Range(0, 200).Select(_ => Corner(random, Far))];
        int[] groups = [.. Enumerable.Range(0, 200).Select(_ => random.Below(7))];
        var scores = random.Normal(200);
        Assert.Equal(
            ReferenceSuppression.Select(boxes, scores, groups, 0.1, 1000, 200), Keep(boxes, scores, groups, 0.1));
    }

    [Fact]
    public void Select_LengthsDifferOrGroupNegative_Throws()
    {
        Assert.Throws<ArgumentException>(() => Keep([Square], [], [0], 0.5));
        Assert.Throws<ArgumentException>(() => Keep([Square], [1], [], 0.5));
        Assert.Throws<ArgumentException>(() => Keep([Square], [1], [-1], 0.5));
    }

    [Theory]
    [InlineData(-0.1, 1000)]
    [InlineData(1.1, 1000)]
    [InlineData(double.NaN, 1000)]
    [InlineData(0.5, -1)]
    public void Constructor_NumberOutOfRange_Throws(double threshold, int maxShiftedBoxes) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new NonMaxSuppression(threshold, maxShiftedBoxes));

    [Fact]
    public void Select_GivenUp_Throws()
    {
        NonMaxSuppression suppression = new(0.5, 1000);
        var kept = new int[1];
        suppression.Select([Square], [1], [0], kept, TestContext.Current.CancellationToken);
        CancellationToken givenUp = new(canceled: true);
        Assert.Throws<OperationCanceledException>(() => suppression.Select([Square], [1], [0], new int[1], givenUp));
        Assert.Throws<OperationCanceledException>(() =>
            suppression.FindRemovers([Square], [1], [0], kept, new int[1], new float[1], givenUp));
    }

    private static int[] Keep(
        Box[] boxes,
        float[] scores,
        int[] groups,
        double threshold,
        int? most = null,
        int maxShiftedBoxes = 1000)
    {
        var kept = new int[most ?? boxes.Length];
        var count = new NonMaxSuppression(threshold, maxShiftedBoxes).Select(boxes, scores, groups, kept);
        return kept[..count];
    }

    private static Box Corner(RandomTensors random, float far)
    {
        var low = random.Below(2) == 0;
        var from = low ? 0 : far - 8 - random.Below(8);
        return new Box(from, from, low ? 1 + random.Below(12) : far, low ? 1 + random.Below(12) : far);
    }
}
