using Fpn.Detection.Proposals;
using Fpn.Detection.Suppression;

namespace Fpn.Detection.Tests.Proposals;

public class TopAnchorsTests
{
    [Fact]
    public void Select_WorkedByHand_OrdersByLogitThenPosition()
    {
        // Two anchors a cell, three cells; positions are cell · 2 + anchor.
        float[] planes = [1, 5, 3, 5, 5, 0];
        Assert.Equal([1, 2, 3], Positions(planes, 2, 3));
        Assert.Equal([1, 2, 3, 4, 0, 5], Positions(planes, 2, 10));
    }

    [Fact]
    public void Select_ZeroesOfBothSigns_AreEqual() => Assert.Equal([0, 1, 2, 3], Positions([-0f, 0f, 0f, -0f], 1, 4));

    [Theory]
    [InlineData("normal")]
    [InlineData("coarse")]
    [InlineData("equal")]
    [InlineData("ascending")]
    [InlineData("descending")]
    [InlineData("steps")]
    [InlineData("extreme")]
    [InlineData("high where sampled")]
    [InlineData("low where sampled")]
    public void Select_AnyOrder_EqualsStableSort(string logits)
    {
        foreach ((var anchorsPerCell, var cells) in new[] { (3, 1), (3, 33), (1, 1000), (15, 420), (3, 7000) })
        {
            var planes = Planes(logits, anchorsPerCell * cells);
            foreach (var topN in new[] { 1, 7, 100, 1000, 1300, 100_000 })
            {
                Assert.Equal(Expected(planes, anchorsPerCell, topN), Positions(planes, anchorsPerCell, topN));
            }
        }
    }

    [Fact]
    public void Select_WorkspaceUsedBefore_DoesNotRememberIt()
    {
        TopAnchors anchors = new();
        anchors.Select(new RandomTensors(1).Normal(9000, mean: 50), 3, 1000);
        var planes = new RandomTensors(2).Normal(300);
        Assert.Equal(
            Expected(planes, 3, 20), anchors.Select(planes, 3, 20).ToArray().Select(RankKey.Position));
    }

    private static int[] Positions(float[] planes, int anchorsPerCell, int topN) =>
        [.. new TopAnchors().Select(planes, anchorsPerCell, topN).ToArray().Select(RankKey.Position)];

    private static int[] Expected(float[] planes, int anchorsPerCell, int topN)
    {
        var cells = planes.Length / anchorsPerCell;
        return [.. Enumerable.Range(0, planes.Length)
            .OrderByDescending(position => planes[position % anchorsPerCell * cells + position / anchorsPerCell])
            .Take(topN)];
    }

    private static float[] Planes(string logits, int count)
    {
        RandomTensors random = new(count);
        return logits switch
        {
            "normal" => random.Normal(count, -4, 2),
            "coarse" => random.Coarse(count, 3),
            "equal" => [.. Enumerable.Repeat(-1.5f, count)],
            "ascending" => [.. Enumerable.Range(0, count).Select(i => i * 1e-3f - 5)],
            "descending" => [.. Enumerable.Range(0, count).Select(i => 5 - i * 1e-3f)],
            // The first bar comes from every (count / 1024)th value: here it misleads as far as it can.
            "high where sampled" => [.. Enumerable.Range(0, count).Select(i => IsSampled(i) ? 9f : i % 7)],
            "low where sampled" => [.. Enumerable.Range(0, count).Select(i => IsSampled(i) ? -9f : i % 7)],
            "steps" => [.. Enumerable.Range(0, count).Select(i => (float)(i / 50))],
            _ => [.. Enumerable.Range(0, count).Select(i => (i % 3 - 1) * float.MaxValue)],
        };

        bool IsSampled(int i) => i % Math.Max(1, count / 1024) == 0;
    }
}
