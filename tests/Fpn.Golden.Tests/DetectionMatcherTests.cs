using Fpn.Testing.Goldens;

namespace Fpn.Golden.Tests;

public sealed class DetectionMatcherTests
{
    private static readonly GoldenTolerance Tolerance = new(
        Box: 0.1, Score: 0.001, MatchFrom: 0.1, NothingExtraAbove: 0.105, ResizedTensor: 0, ProposalBox: 0,
            ProposalScore: 0);

    [Fact]
    public void Mismatches_SameWithinTolerance_None()
    {
        Assert.Empty(Compare([Red(0.9, 10)], [Red(0.9009, 10.09)]));
    }

    [Theory]
    [InlineData(0.9, 10.2)]
    [InlineData(0.8985, 10)]
    public void Mismatches_BoxOrScoreTooFar_MissingAndExtra(double score, double x1)
    {
        Assert.Collection(
            Compare([Red(0.9, 10)], [Red(score, x1)]),
            line => Assert.StartsWith("missing RBC 0.90000 [10.000, ", line, StringComparison.Ordinal),
            line => Assert.StartsWith("extra   RBC ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void Mismatches_AnotherLabel_MissingAndExtra()
    {
        Assert.Equal(2, Compare([Red(0.9, 10)], [Red(0.9, 10) with { Label = "WBC" }]).Count);
    }

    [Fact]
    public void Mismatches_AnotherLevel_OneLineUnlessUnknown()
    {
        Assert.Single(Compare([Red(0.9, 10)], [Red(0.9, 10) with { Level = "p3" }]));
        Assert.Empty(Compare([Red(0.9, 10) with { Level = null }], [Red(0.9, 10)]));
    }

    [Fact]
    public void Mismatches_OneForTwo_OneMissing()
    {
        Assert.Single(Compare([Red(0.9, 10), Red(0.9, 10.05)], [Red(0.9, 10)]));
    }

    [Fact]
    public void Mismatches_TwoForOne_OneExtra()
    {
        Assert.Single(Compare([Red(0.9, 10)], [Red(0.9, 10), Red(0.9, 10.05)]));
    }

    [Fact]
    public void Mismatches_UnsureOnEitherSide_None()
    {
        Assert.Empty(Compare([Red(0.0999, 10)], []));
        Assert.Empty(Compare([], [Red(0.105, 10)]));
        Assert.Empty(Compare([Red(0.0995, 10)], [Red(0.1004, 10)]));
    }

    [Fact]
    public void Mismatches_SureOnEitherSide_OneEach()
    {
        Assert.Single(Compare([Red(0.1, 10)], []));
        Assert.Single(Compare([], [Red(0.1051, 10)]));
    }

    private static IReadOnlyList<string> Compare(GoldenDetection[] reference, GoldenDetection[] actual) =>
        DetectionMatcher.Mismatches(reference, actual, Tolerance);

    private static GoldenDetection Red(double score, double x1) => new("RBC", score, [x1, 20, 50, 60], "p2");
}
