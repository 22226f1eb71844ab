using Fpn.Detection.Geometry;
using Fpn.Testing.Goldens;

namespace Fpn.Golden.Tests;

public sealed class ProposalMatcherTests
{
    private static readonly GoldenTolerance Tolerance = new(
        Box: 0, Score: 0, MatchFrom: 0, NothingExtraAbove: 0, ResizedTensor: 0, ProposalBox: 0.05, ProposalScore: 1e-4);

    private static readonly PooledProposal Sure = new(new Box(0, 0, 100, 100), 0.9f, 0);
    private static readonly PooledProposal Other = new(new Box(300, 0, 340, 40), 0.6f, 0);

    [Fact]
    public void Mismatches_SameInAnotherOrder_None()
    {
        Assert.Empty(Compare([Sure, Other], [Other, Sure with { Box = new Box(0.04f, 0, 100, 100) }]));
    }

    [Fact]
    public void Mismatches_OneLess_Missing()
    {
        Assert.StartsWith("missing Box", Assert.Single(Compare([Sure, Other], [Sure])), StringComparison.Ordinal);
    }

    [Fact]
    public void Mismatches_AnotherLevel_MissingAndExtra()
    {
        Assert.Equal(2, Compare([Sure], [Sure with { Level = 1 }]).Count);
    }

    [Fact]
    public void Mismatches_OverlapAtThreshold_IsExplained()
    {
        // [0, 100] and [0, 70] of one height: IoU 0.7, so that it falls or stays by the last bit.
        PooledProposal undecided = new(new Box(0, 0, 70, 100), 0.8f, 0);

        Assert.Empty(Compare([Sure, undecided], [Sure]));
        Assert.Single(Compare([Sure, undecided with { Box = new Box(0, 0, 69, 100) }], [Sure]));
    }

    [Fact]
    public void Mismatches_SuppressedByUndecidedOne_IsExplained()
    {
        // Where the undecided one stays it removes its neighbor, which is far enough from the sure one (0.65).
        PooledProposal undecided = new(new Box(0, 0, 70, 100), 0.8f, 0);
        PooledProposal neighbor = new(new Box(0, 0, 65, 100), 0.7f, 0);

        Assert.Empty(Compare([Sure, undecided], [Sure, neighbor]));
        Assert.Single(Compare([Sure], [Sure, neighbor]));
    }

    [Fact]
    public void Mismatches_EndOfFullList_IsExplained()
    {
        var last = Other with { Score = 0.5f };

        Assert.Empty(
            Compare([Sure, last], [Sure, last with { Box = new Box(500, 0, 540, 40), Score = 0.49995f }], limit: 2));
        Assert.Equal(2, Compare(
            [Sure, last], [Sure, last with { Box = new Box(500, 0, 540, 40), Score = 0.49995f }], limit: 3).Count);
    }

    private static IReadOnlyList<string> Compare(
        PooledProposal[] reference, PooledProposal[] actual, int limit = 1000) =>
        ProposalMatcher.Mismatches(reference, actual, limit, Tolerance);
}
