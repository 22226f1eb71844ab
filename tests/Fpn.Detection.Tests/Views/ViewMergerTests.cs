using Fpn.Detection.Geometry;
using Fpn.Detection.Views;

namespace Fpn.Detection.Tests.Views;

/// <summary>How the boxes of several views become one list.</summary>
public sealed class ViewMergerTests
{
    private const int Shifted = 40_000;

    private static CancellationToken Unhurried => TestContext.Current.CancellationToken;

    /// <summary>By hand: 8 of 10 columns in common are an IoU of 8 / 12.</summary>
    [Fact]
    public void Merge_Nms_KeepsTheBetterOfEachClass()
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.6f, 0, IsCut: false),
            new(new Box(2, 0, 12, 10), 0.9f, 0, IsCut: false),
            new(new Box(0, 0, 10, 10), 0.7f, 1, IsCut: false),
            new(new Box(50, 0, 60, 10), 0.5f, 0, IsCut: false),
        ];
        var merged = new ViewMerger(new ViewOptions(), 0.5, Shifted).Merge(boxes, 100, findRemovers: true, Unhurried);
        Assert.Equal([1, 2, 3], merged.Kept);
        Assert.Equal([boxes[1].Box, boxes[2].Box, boxes[3].Box], merged.Boxes);
        Assert.Equal([0, -1, -1, -1], merged.Removers);
    }

    [Fact]
    public void Merge_Nms_MergeThresholdTakesTheModelsPlace()
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.6f, 0, IsCut: false),
            new(new Box(2, 0, 12, 10), 0.9f, 0, IsCut: false),
        ];
        var options = new ViewOptions { MergeThreshold = 0.7 };
        var merged = new ViewMerger(options, 0.5, Shifted).Merge(boxes, 100, findRemovers: true, Unhurried);
        Assert.Equal([1, 0], merged.Kept);
    }

    [Fact]
    public void Merge_Limit_KeepsTheBest()
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.6f, 0, IsCut: false),
            new(new Box(20, 0, 30, 10), 0.9f, 0, IsCut: false),
            new(new Box(40, 0, 50, 10), 0.7f, 0, IsCut: false),
        ];
        Assert.All(
            Enum.GetValues<MergeMethod>(),
            method =>
            {
                var merger = new ViewMerger(new ViewOptions { Merge = method }, 0.5, Shifted);
                var merged = merger.Merge(boxes, 2, findRemovers: true, Unhurried);
                Assert.Equal([1, 2], merged.Kept);
                Assert.Equal([-1, -1, -1], merged.Removers);
            });
    }

    [Theory]
    [InlineData(MergeMethod.Nms)]
    [InlineData(MergeMethod.Voting)]
    [InlineData(MergeMethod.Ios)]
    public void Merge_Nothing_IsNothing(MergeMethod method)
    {
        var merger = new ViewMerger(new ViewOptions { Merge = method }, 0.5, Shifted);
        var merged = merger.Merge([], 100, findRemovers: true, Unhurried);
        Assert.Empty(merged.Kept);
        Assert.Empty(merged.Boxes);
        Assert.Equal([], merged.Removers);
    }

    /// <summary>By hand: an IoU of 100 / 120 votes, one of 100 / 150 is only removed; (0.8 · 10 + 0.4 · 12) / 1.2 =
    /// 10.667.</summary>
    [Fact]
    public void Merge_Voting_AveragesByScore()
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.8f, 0, IsCut: false),
            new(new Box(0, 0, 10, 12), 0.4f, 0, IsCut: false),
            new(new Box(0, 0, 10, 15), 0.2f, 0, IsCut: false),
            new(new Box(0, 0, 10, 12), 0.4f, 1, IsCut: false),
        ];
        var options = new ViewOptions { Merge = MergeMethod.Voting };
        var merged = new ViewMerger(options, 0.5, Shifted).Merge(boxes, 100, findRemovers: true, Unhurried);
        Assert.Equal([0, 3], merged.Kept);
        Assert.Equal([-1, 0, 0, -1], merged.Removers);
        Assert.Equal(10.6667, merged.Boxes[0].Y2, 4);
        Assert.Equal((0f, 0f, 10f), (merged.Boxes[0].X1, merged.Boxes[0].Y1, merged.Boxes[0].X2));
        Assert.Equal(boxes[3].Box, merged.Boxes[1]);
    }

    [Fact]
    public void Merge_VotingForABoxWithoutArea_KeepsIt()
    {
        ViewBox[] boxes = [new(new Box(5, 5, 5, 9), 0.8f, 0, IsCut: false)];
        var options = new ViewOptions { Merge = MergeMethod.Voting };
        var merged = new ViewMerger(options, 0.5, Shifted).Merge(boxes, 100, findRemovers: true, Unhurried);
        Assert.Equal([boxes[0].Box], merged.Boxes);
    }

    /// <summary>A small part inside a large box has a small IoU and an IoS of 1.</summary>
    [Fact]
    public void Merge_Ios_RemovesPartsAndLeavesWholesAsTheyAre()
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.9f, 0, IsCut: false),
            new(new Box(1, 1, 3, 3), 0.5f, 0, IsCut: true),
            new(new Box(1, 1, 3, 3), 0.5f, 1, IsCut: true),
            new(new Box(5, 5, 15, 15), 0.3f, 0, IsCut: false),
        ];
        var options = new ViewOptions { Merge = MergeMethod.Ios };
        var merged = new ViewMerger(options, 0.5, Shifted).Merge(boxes, 100, findRemovers: true, Unhurried);
        Assert.Equal([0, 2, 3], merged.Kept);
        Assert.Equal([-1, 0, -1, -1], merged.Removers);
        Assert.Equal(boxes[0].Box, merged.Boxes[0]);
    }

    /// <summary>Two halves of an object that a border cut: 4 of 8 columns in common.</summary>
    [Fact]
    public void Merge_IosOfACutBox_EnclosesWhatItRemoves()
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.9f, 0, IsCut: true),
            new(new Box(6, 0, 14, 11), 0.5f, 0, IsCut: true),
        ];
        var options = new ViewOptions { Merge = MergeMethod.Ios, MergeThreshold = 0.4 };
        var merged = new ViewMerger(options, 0.5, Shifted).Merge(boxes, 100, findRemovers: true, Unhurried);
        Assert.Equal([0], merged.Kept);
        Assert.Equal([new Box(0, 0, 14, 11)], merged.Boxes);
    }

    /// <summary>By hand: not asked for, what removed a box is not computed.</summary>
    [Theory]
    [InlineData(MergeMethod.Nms)]
    [InlineData(MergeMethod.Voting)]
    [InlineData(MergeMethod.Ios)]
    public void Merge_RemoversNotAskedFor_AreNull(MergeMethod method)
    {
        ViewBox[] boxes =
        [
            new(new Box(0, 0, 10, 10), 0.9f, 0, IsCut: false),
            new(new Box(0, 0, 10, 10), 0.5f, 0, IsCut: false),
        ];
        var merger = new ViewMerger(new ViewOptions { Merge = method }, 0.5, Shifted);
        var merged = merger.Merge(boxes, 100, findRemovers: false, Unhurried);
        Assert.Null(merged.Removers);
        Assert.Equal([0], merged.Kept);
    }

    [Theory]
    [InlineData(MergeMethod.Nms)]
    [InlineData(MergeMethod.Voting)]
    [InlineData(MergeMethod.Ios)]
    public void Merge_GivenUp_Throws(MergeMethod method)
    {
        ViewBox[] boxes = [new(new Box(0, 0, 10, 10), 0.9f, 0, IsCut: false)];
        var merger = new ViewMerger(new ViewOptions { Merge = method }, 0.5, Shifted);
        Assert.Throws<OperationCanceledException>(
            () => merger.Merge(boxes, 100, findRemovers: false, new CancellationToken(canceled: true)));
    }

    /// <summary>Against the definition, box by box, with equal scores among them and a limit that is reached.</summary>
    [Theory]
    [InlineData(MergeMethod.Nms, null)]
    [InlineData(MergeMethod.Voting, null)]
    [InlineData(MergeMethod.Voting, 0d)]
    [InlineData(MergeMethod.Voting, 1d)]
    [InlineData(MergeMethod.Ios, null)]
    public void Merge_RandomBoxes_EqualsTheDefinition(MergeMethod method, double? threshold)
    {
        var random = new Random(7);
        for (var round = 0; round < 100; round++)
        {
            var boxes = new ViewBox[random.Next(120)];
            for (var i = 0; i < boxes.Length; i++)
            {
                float x = random.Next(40), y = random.Next(40);
                var box = new Box(x, y, x + random.Next(30), y + 1 + random.Next(30));
                boxes[i] = new ViewBox(box, random.Next(1, 10) / 10f, random.Next(3), random.Next(2) == 0);
            }

            var most = round % 2 == 0 ? 1000 : 5;
            var options = new ViewOptions { Merge = method, MergeThreshold = threshold };
            var merged = new ViewMerger(options, 0.5, maxShiftedBoxes: 0).Merge(
                boxes, most, findRemovers: true, Unhurried);
            var (kept, became, removers) = Define(boxes, options, most);
            Assert.Equal(kept, merged.Kept);
            Assert.Equal(became, merged.Boxes);
            Assert.Equal(removers, merged.Removers);
        }
    }

    private static (List<int> Kept, List<Box> Boxes, int[] Removers) Define(
        ViewBox[] boxes, ViewOptions options, int most)
    {
        var isIos = options.Merge == MergeMethod.Ios;
        List<int> kept = [];
        List<Box> became = [];
        var removers = new int[boxes.Length];
        foreach (var index in Enumerable.Range(0, boxes.Length).OrderByDescending(i => boxes[i].Score))
        {
            var box = boxes[index];
            removers[index] = kept.FindIndex(better => boxes[better].Label == box.Label
                && Overlap(boxes[better].Box, box.Box, isIos) > 0.5);
            if (removers[index] < 0 && kept.Count < most)
            {
                kept.Add(index);
                became.Add(box.Box);
            }
            else if (removers[index] >= 0 && isIos && boxes[kept[removers[index]]].IsCut)
            {
                became[removers[index]] = BoxOperations.Enclose(became[removers[index]], box.Box);
            }
        }

        return (kept, options.Merge == MergeMethod.Voting
            ? kept.ConvertAll(index => Average(boxes, boxes[index], (float)options.MergeThresholdOr(0.5)))
            : became, removers);
    }

    private static Box Average(ViewBox[] boxes, ViewBox elected, float threshold)
    {
        ViewBox[] voters =
        [
            .. boxes.Where(box => box.Label == elected.Label && Overlap(box.Box, elected.Box, false) >= threshold),
        ];
        var weights = voters.Sum(voter => (double)voter.Score);
        return voters.Length == 0 ? elected.Box : new Box(
            Edge(box => box.X1), Edge(box => box.Y1), Edge(box => box.X2), Edge(box => box.Y2));

        float Edge(Func<Box, float> edge) =>
            (float)(voters.Sum(voter => (double)voter.Score * edge(voter.Box)) / weights);
    }

    private static float Overlap(Box a, Box b, bool isIos)
    {
        var width = Math.Max(0, Math.Min(a.X2, b.X2) - Math.Max(a.X1, b.X1));
        var height = Math.Max(0, Math.Min(a.Y2, b.Y2) - Math.Max(a.Y1, b.Y1));
        var common = width * height;
        return common / (isIos ? Math.Min(a.Area, b.Area) : a.Area + b.Area - common);
    }
}
