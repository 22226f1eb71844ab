namespace Fpn.Detection.Tests.Goldens;

public sealed class RankedListTests
{
    [Fact]
    public void Differences_SameOrder_None()
    {
        Assert.Empty(Compare("a0.9 b0.5 c0.1", "a0.9 b0.5 c0.1"));
    }

    [Fact]
    public void Differences_NearlyEqualSwapped_None()
    {
        Assert.Empty(Compare("a0.5000005 b0.5 c0.1", "b0.5 a0.5000005 c0.1"));
    }

    [Fact]
    public void Differences_EqualSwapped_OneLine()
    {
        Assert.Single(Compare("a0.5 b0.5", "b0.5 a0.5"));
    }

    [Fact]
    public void Differences_FarApartSwapped_OneLine()
    {
        Assert.Single(Compare("a0.6 b0.5", "b0.5 a0.6"));
    }

    [Fact]
    public void Differences_OneForAnother_MissingAndExtra()
    {
        Assert.Collection(
            Compare("a0.9 b0.5", "a0.9 z0.4"),
            line => Assert.Equal("missing b with score 0.5", line),
            line => Assert.Equal("extra z with score 0.4", line));
    }

    [Fact]
    public void Differences_NearlyEqualAtTheCut_None()
    {
        // The list was cut after two; the reference's third, with almost the score of its second,
        // came instead of its first.
        Assert.Empty(Compare("a0.5000005 b0.5", "b0.5 z0.4999995", limit: 2));
        Assert.NotEmpty(Compare("a0.5000005 b0.5", "b0.5 z0.4999995", limit: 3));
    }

    private static IReadOnlyList<string> Compare(string reference, string actual, int limit = 100) =>
        RankedList.Differences(Parse(reference), Parse(actual), limit);

    private static Ranked<char>[] Parse(string list) =>
        [.. list.Split(' ').Select(entry => new Ranked<char>(
            entry[0], float.Parse(entry.AsSpan(1), System.Globalization.CultureInfo.InvariantCulture)))];
}
