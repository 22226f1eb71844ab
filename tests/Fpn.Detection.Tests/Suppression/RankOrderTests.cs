using Fpn.Detection.Suppression;

namespace Fpn.Detection.Tests.Suppression;

/// <summary>The radix sort and the radix selection against the library's comparison sort.</summary>
public class RankOrderTests
{
    public static TheoryData<int, string> Cases()
    {
        TheoryData<int, string> cases = [];
        string[] kinds = ["normal", "unit", "coarse", "equal", "ascending", "descending", "low digits"];
        foreach (var count in new[] { 1, 2, 199, 200, 201, 1000, 5000 })
        {
            foreach (var scores in kinds)
            {
                cases.Add(count, scores);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Sort_AnyScores_EqualsComparisonSort(int count, string scores)
    {
        var keys = Keys(count, scores);
        ulong[] expected = [.. keys.Order()];
        RankSorter sorter = new();
        sorter.Sort(keys);
        Assert.Equal(expected, keys);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void MoveSmallestToFront_AnyScores_EqualsComparisonSort(int count, string scores)
    {
        RankSelector selector = new();
        foreach (var smallest in new[] { 1, count / 3, count / 2, count - 1, count }.Where(n => n > 0))
        {
            var keys = Keys(count, scores);
            ulong[] expected = [.. keys.Order().Take(smallest)];
            var largest = selector.MoveSmallestToFront(keys, smallest);
            Assert.Equal(expected, keys.Take(smallest).Order());
            Assert.Equal(expected[^1], largest);
        }
    }

    private static ulong[] Keys(int count, string scores)
    {
        RandomTensors random = new(count);
        var values = scores switch
        {
            "normal" => random.Normal(count),
            "unit" => [.. random.Normal(count).Select(x => 1 / (1 + MathF.Exp(-x)))],
            "coarse" => random.Coarse(count, 3),
            "equal" => new float[count],
            "ascending" => [.. Enumerable.Range(0, count).Select(i => i * 0.01f)],
            "descending" => [.. Enumerable.Range(0, count).Select(i => -i * 0.01f)],
            _ => [.. Enumerable.Range(0, count).Select(i => BitConverter.Int32BitsToSingle(0x3F00_0000 + i * 7 % 100))],
        };
        return [.. values.Select(RankKey.Create)];
    }
}
