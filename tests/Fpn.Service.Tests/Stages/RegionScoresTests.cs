using Fpn.Service.Stages;

namespace Fpn.Service.Tests.Stages;

/// <summary>How many scores an answer of <c>/regions</c> may have.</summary>
public sealed class RegionScoresTests
{
    /// <summary>By hand: 831 · 1203 is 999,693 and 832 · 1203 is 1,000,896, where 10,000 boxes may have 1,000,000
    /// scores.</summary>
    [Theory]
    [InlineData(831, 1203, 10_000, false)]
    [InlineData(832, 1203, 10_000, true)]
    [InlineData(10_000, 100, 10_000, false)]
    [InlineData(10_000, 101, 10_000, true)]
    [InlineData(1_000_000, 1203, 1_000_000, true)]
    public void CheckScores_MoreThan100ForEachRegionAllowed_Is413(
        int boxes, int classes, int maxRegions, bool isRefused)
    {
        var problem = RegionEndpoint.CheckScores(boxes, classes, maxRegions);
        Assert.Equal(isRefused, problem is not null);
        if (problem is not null)
        {
            Assert.Equal((413, "too-many-regions", "top"), (problem.Status, problem.Type, problem.Parameter));
        }
    }
}
