using Fpn.Testing.Goldens;

namespace Fpn.Golden.Tests;

public sealed class AveragePrecisionTests
{
    private static readonly double[] Left = [0, 0, 10, 10];
    private static readonly double[] Right = [20, 0, 30, 10];
    private static readonly double[] Nowhere = [50, 50, 60, 60];

    [Fact]
    public void At_RightWrongRight_IsWorkedByHand()
    {
        // Two truths. Precision 1, 1/2, 2/3 at recall 0.5, 0.5, 1: read as 1 at the 51 points up to 0.5,
        // as 2/3 at the 50 after.
        ScoredBox[] detections = [new(0, 0.9, Left), new(0, 0.8, Nowhere), new(0, 0.7, Right)];

        Assert.Equal((51 + 50 * 2 / 3.0) / 101, AveragePrecision.At(detections, [[Left, Right]], 0.5), 12);
    }

    [Fact]
    public void At_SameTruthTwice_CountsOnce()
    {
        // The second one is wrong, but the recall is complete before it.
        ScoredBox[] detections = [new(0, 0.9, Left), new(0, 0.8, Left)];

        Assert.Equal(1, AveragePrecision.At(detections, [[Left]], 0.5), 12);
    }

    [Fact]
    public void At_TruthOfAnotherImage_DoesNotCount()
    {
        Assert.Equal(0, AveragePrecision.At([new(0, 0.9, Left)], [[], [Left]], 0.5), 12);
    }

    [Fact]
    public void At_OverlapEqualsThreshold_IsRight()
    {
        // [0, 10] and [0, 5] of one height share half of their union.
        double[] half = [0, 0, 5, 10];

        Assert.Equal(0.5, AveragePrecision.IntersectionOverUnion(Left, half), 12);
        Assert.Equal(1, AveragePrecision.At([new(0, 0.9, half)], [[Left]], 0.5), 12);
        Assert.Equal(0, AveragePrecision.At([new(0, 0.9, half)], [[Left]], 0.55), 12);
    }

    [Fact]
    public void At_UnsortedDetections_AreSortedByScore()
    {
        // Wrong first: precision 1/2 at recall 1, everywhere.
        ScoredBox[] detections = [new(0, 0.2, Left), new(0, 0.3, Nowhere)];

        Assert.Equal(0.5, AveragePrecision.At(detections, [[Left]], 0.5), 12);
    }

    [Fact]
    public void At_IgnoredObject_CountsNeitherWay()
    {
        // Of three, the one on the ignored object is left out: right, wrong, and precision 1 at recall 1.
        ScoredBox[] detections = [new(0, 0.9, Right), new(0, 0.8, Left), new(0, 0.7, Nowhere)];
        double[][][] ignored = [[Right]];

        Assert.Equal(1, AveragePrecision.At(detections, [[Left]], 0.5, ignored), 12);
        Assert.Equal(0.5, AveragePrecision.At(detections, [[Left]], 0.5), 12);

        // One that finds what is to be found counts, whatever else it overlaps.
        Assert.Equal(1, AveragePrecision.At([new(0, 0.9, Left)], [[Left]], 0.5, [[Left]]), 12);
    }

    [Fact]
    public void At_NothingToFindOrNothingFound_IsZero()
    {
        Assert.Equal(0, AveragePrecision.At([], [[Left]], 0.5));
        Assert.Equal(0, AveragePrecision.At([new(0, 0.9, Left)], [[]], 0.5));
    }

    [Fact]
    public void Thresholds_AreCocos()
    {
        Assert.Equal([0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95], AveragePrecision.Thresholds);
    }
}
