using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.RoiHeads;

public class DetectionSelectorTests
{
    private static readonly ImageSize Resized = new(100, 200);

    private static readonly RoiHeadsOptions Torchvision = new(ConventionTable.Torchvision) { Classes = 2 };

    private static readonly RoiHeadsOptions Detectron2 = new(ConventionTable.Detectron2) { Classes = 2 };

    [Fact]
    public void Select_TorchvisionWorkedByHand_Agrees()
    {
        // Scores are 1/10, 3/10 and 6/10, background first. Class 1 moves a width (10 · 0.1 weights) to the right,
        // class 0 half a height up; then everything is halved across and doubled down.
        float[] logits = [0, MathF.Log(3), MathF.Log(6)];
        float[] deltas = [9, 9, 9, 9, 0, -5, 0, 0, 10, 0, 0, 0];
        var found = Select(Torchvision, logits, deltas, [new Box(10, 20, 30, 40)], new ImageSize(200, 100));

        Assert.Equal(2, found.Length);
        Assert.Equal(new Box(15, 40, 25, 80), found[0].Box);
        Assert.Equal(0.6f, found[0].Score, 1e-6f);
        Assert.Equal((1, 0), (found[0].Label, found[0].Proposal));
        Assert.Equal(new Box(5, 20, 15, 60), found[1].Box);
        Assert.Equal(0.3f, found[1].Score, 1e-6f);
        Assert.Equal((0, 0), (found[1].Label, found[1].Proposal));
    }

    [Fact]
    public void ListSuppressed_WorkedByHand_NamesTheDetectionThatWon()
    {
        // Class 0 only, no deltas. The second box is the lower 16 of the first one's 20 rows (IoU 0.8), the third
        // stands alone, the fourth overlaps the third by half a width (IoU 1/3) and stays. Everything is doubled on the
        // way back.
        Box[] proposals = [new(10, 20, 30, 40), new(10, 24, 30, 40), new(60, 20, 80, 40), new(70, 20, 90, 40)];
        float[] logits = [0, 4, -9, 0, 3, -9, 0, 2, -9, 0, 1, -9];
        DetectionSelector selector = new(Torchvision);
        DetectionList list = new();
        selector.Select(logits, new float[48], proposals, [0, 1, 2, 3], Resized, new ImageSize(200, 400), list);

        Assert.Equal([0, 2, 3], list.Detections.ToArray().Select(detection => detection.Proposal));
        Assert.Equal(4, selector.CandidateCount);
        var suppressed = Assert.Single(selector.ListSuppressed());
        Assert.Equal((0, 0.8f), (suppressed.Detection, suppressed.Iou));
        var candidate = suppressed.Candidate;
        Assert.Equal((new Box(20, 48, 60, 80), 0, 1), (candidate.Box, candidate.Label, candidate.Proposal));

        // An image without candidates leaves nothing of the one before.
        selector.Select([], [], [], [], Resized, Resized, list);
        Assert.Empty(selector.ListSuppressed());
        Assert.Equal(0, selector.CandidateCount);
    }

    [Fact]
    public void ListSuppressed_WinnerWithoutAreaIsNotReported_IsLeftOut()
    {
        // The original has no height: detectron2 keeps the box in suppression and drops it on the way back.
        DetectionSelector selector = new(Detectron2);
        DetectionList list = new();
        Box[] proposals = [new(10, 20, 30, 40), new(10, 20, 30, 40)];
        selector.Select([2, -9, 0, 1, -9, 0], new float[16], proposals, [0, 1], Resized, new ImageSize(0, 200), list);
        Assert.Equal(0, list.Count);
        Assert.Equal(2, selector.CandidateCount);
        Assert.Empty(selector.ListSuppressed());
    }

    [Fact]
    public void Select_Detectron2WorkedByHand_Agrees()
    {
        // The same detections: background last and without deltas.
        float[] logits = [MathF.Log(3), MathF.Log(6), 0];
        float[] deltas = [0, -5, 0, 0, 10, 0, 0, 0];
        var found = Select(Detectron2, logits, deltas, [new Box(10, 20, 30, 40)], new ImageSize(200, 100));

        Assert.Equal([new Box(15, 40, 25, 80), new Box(5, 20, 15, 60)], found.Select(detection => detection.Box));
        Assert.Equal([1, 0], found.Select(detection => detection.Label));
    }

    [Fact]
    public void Select_Agnostic_UsesOneBoxForAllClasses()
    {
        var found = Select(
            Detectron2 with { BoxDeltas = BoxDeltasLayout.Agnostic },
            [1, 0, 0],
            [10, 0, 0, 0],
            [new Box(10, 20, 30, 40)],
            Resized);
        Assert.Equal([new Box(30, 20, 50, 40), new Box(30, 20, 50, 40)], found.Select(detection => detection.Box));
        Assert.Equal([0, 1], found.Select(detection => detection.Label));
    }

    [Fact]
    public void Select_BackgroundLastWithItsOwnDeltas_CountsColumnsAsTheLogitsDo()
    {
        var found = Select(
            Detectron2 with { BoxDeltas = BoxDeltasLayout.PerClassWithBackground },
            [5, 0, 0],
            [10, 0, 0, 0, 0, 10, 0, 0, 99, 99, 0, 0],
            [new Box(10, 20, 30, 40)],
            Resized);
        Assert.Equal(new Box(30, 20, 50, 40), Assert.Single(found).Box);
    }

    [Fact]
    public void Select_ScoreEqualToThreshold_IsDropped()
    {
        // Four equal logits: 0.25 each, exactly.
        RoiHeadsOptions options = new() { Classes = 3, ScoreThreshold = 0.25f };
        Assert.Empty(Select(options, new float[4], new float[16], [new Box(0, 0, 10, 10)], Resized));
        var lower = options with { ScoreThreshold = 0.2499f };
        Assert.Equal(3, Select(lower, new float[4], new float[16], [new Box(0, 0, 10, 10)], Resized).Length);
    }

    [Fact]
    public void Select_EqualScores_SmallerLabelThenEarlierProposal()
    {
        var options = Torchvision with { DetectionsPerImage = 3 };
        Box[] proposals = [new(0, 0, 10, 10), new(50, 0, 60, 10)];
        var found = Select(options, new float[6], new float[24], proposals, Resized);
        Assert.Equal([(0, 0), (0, 1), (1, 0)], found.Select(detection => (detection.Label, detection.Proposal)));
    }

    [Fact]
    public void Select_SameClassOverlapping_KeepsTheBetterOtherClassUntouched()
    {
        // Class 0: 0.51 and 0.67, so the second wins; class 1: both are below.
        float[] logits = [0, MathF.Log(2), -4, 0, MathF.Log(4), MathF.Log(1)];
        Box[] proposals = [new(0, 0, 10, 10), new(0, 0, 10, 8)];
        var found = Select(Torchvision, logits, new float[24], proposals, Resized);
        Assert.Equal([(0, 1), (1, 1)], found.Select(detection => (detection.Label, detection.Proposal)));
    }

    [Theory]
    [InlineData(0.01f, 1)]
    [InlineData(0.0099f, 0)]
    public void Select_SmallSide_EqualToTheMinimumIsKept(float side, int count) =>
        Assert.Equal(
            count,
            Select(Torchvision, [0, 9, 0], new float[12], [new Box(0, 0, side, 50)], Resized).Length);

    [Fact]
    public void Select_Detectron2EmptyAfterScaling_IsDroppedAfterCounting()
    {
        // The better detection has no width; it takes the only place and is dropped afterwards.
        Box[] proposals = [new(5, 0, 5, 10), new(50, 0, 60, 10)];
        float[] logits = [9, 0, 0, 8, 0, 0];
        Assert.Empty(Select(Detectron2 with { DetectionsPerImage = 1 }, logits, new float[16], proposals, Resized));
        Assert.Equal(1, Assert.Single(Select(Detectron2, logits, new float[16], proposals, Resized)).Proposal);
    }

    [Fact]
    public void Select_OneClassDecodedToInfinity_Detectron2DropsTheRow()
    {
        // The second class overflows. torchvision clips it to an empty box; detectron2 drops the first class's box too.
        float[] deltas = [0, 0, 0, 0, 3e38f, 0, 0, 0, .. new float[8]];
        Box[] proposals = [new(0, 0, 100, 10), new(50, 50, 60, 60)];
        var perClass =
            Torchvision with { BoxDeltas = BoxDeltasLayout.PerClass, BoxWeights = BoxWeights.One };
        Assert.Equal(
            [0, 1],
            Select(perClass, [0, 9, 0, 0, 8, 0], deltas, proposals, Resized).Select(detection => detection.Proposal));
        Assert.Equal(
            [1],
            Select(Detectron2 with { BoxWeights = BoxWeights.One }, [9, 0, 0, 8, 0, 0], deltas, proposals, Resized)
                .Select(detection => detection.Proposal));
    }

    [Fact]
    public void Select_RowsInAnyOrder_ReadsTheRowOfEachProposal()
    {
        // Three rows of a batch; this image owns rows 2 and 0.
        float[] logits = [0, 9, 0, float.NaN, 0, 0, 0, 0, 9];
        float[] deltas = [.. new float[12], .. Enumerable.Repeat(float.NaN, 12), .. new float[12]];
        DetectionList list = new();
        new DetectionSelector(Torchvision).Select(
            logits, deltas, [new Box(0, 0, 10, 10), new Box(50, 0, 60, 10)], [2, 0], Resized, Resized, list);
        Assert.Equal(
            [(0, 1, new Box(50, 0, 60, 10)), (1, 0, new Box(0, 0, 10, 10))],
            list.Detections.ToArray().Select(detection => (detection.Label, detection.Proposal, detection.Box)));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Select_NotFinite_NamesTheTensor(float bad)
    {
        foreach (var options in new[] { Torchvision, Detectron2 })
        {
            var boxes = options == Torchvision ? 3 : 2;
            for (var position = 0; position < 6; position++)
            {
                var logits = new float[6];
                logits[position] = bad;
                Assert.Equal("class_logits", Thrown(options, logits, new float[8 * boxes]).Tensor);
            }

            for (var position = 0; position < 8 * boxes; position++)
            {
                var deltas = new float[8 * boxes];
                deltas[position] = bad;
                Assert.Equal("box_deltas", Thrown(options, new float[6], deltas).Tensor);
            }
        }

        static NonFiniteOutputException Thrown(RoiHeadsOptions options, float[] logits, float[] deltas) =>
            Assert.Throws<NonFiniteOutputException>(() => Select(options, logits, deltas, new Box[2], Resized));
    }

    [Fact]
    public void Select_NothingAbove_OrNoProposals_GivesNothing()
    {
        Assert.Empty(Select(Torchvision, [9, 0, 0], new float[12], [new Box(0, 0, 10, 10)], Resized));
        Assert.Empty(Select(Torchvision, [], [], [], Resized));
    }

    [Fact]
    public void Select_LengthsDoNotFit_Throws()
    {
        DetectionSelector selector = new(Torchvision);
        DetectionList list = new();
        var proposal = new Box[1];
        Assert.Throws<ArgumentException>(
            () => selector.Select(new float[4], new float[12], proposal, [0], Resized, Resized, list));
        Assert.Throws<ArgumentException>(
            () => selector.Select(new float[3], new float[8], proposal, [0], Resized, Resized, list));
        Assert.Throws<ArgumentException>(
            () => selector.Select(new float[3], new float[12], proposal, [], Resized, Resized, list));
        Assert.Throws<ArgumentException>(
            () => selector.Select(new float[3], new float[12], proposal, [1], Resized, Resized, list));
        Assert.Throws<ArgumentException>(
            () => selector.Select(new float[3], new float[12], proposal, [-1], Resized, Resized, list));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => selector.Select(new float[3], new float[12], proposal, [0], new ImageSize(0, 5), Resized, list));
    }

    private static DetectedBox[] Select(
        RoiHeadsOptions options, float[] logits, float[] deltas, Box[] proposals, ImageSize original)
    {
        DetectionList list = new();
        int[] rows = [.. Enumerable.Range(0, proposals.Length)];
        new DetectionSelector(options).Select(logits, deltas, proposals, rows, Resized, original, list);
        Assert.Equal(list.Count, list.Detections.Length);
        return list.Detections.ToArray();
    }
}
