using Fpn.Detection.Suppression;

namespace Fpn.Detection.Tests.Suppression;

public class RankKeyTests
{
    [Fact]
    public void Of_ScoresOfEverySign_AscendAsScoresDescend()
    {
        float[] descending =
            [float.MaxValue, 2, 1, float.BitDecrement(1), float.Epsilon, 0, -float.Epsilon, -1, float.MinValue];
        for (int i = 1; i < descending.Length; i++)
        {
            Assert.True(RankKey.Of(descending[i - 1], 9) < RankKey.Of(descending[i], 0));
        }
    }

    [Fact]
    public void Of_EqualScores_LowerPositionFirst()
    {
        Assert.True(RankKey.Of(0.5f, 3) < RankKey.Of(0.5f, 4));
        Assert.True(RankKey.Of(-0f, 3) < RankKey.Of(0f, 4));
        Assert.True(RankKey.Of(0f, 3) < RankKey.Of(-0f, 4));
    }

    [Theory]
    [InlineData(0.25f, 0)]
    [InlineData(-7.5f, 1)]
    [InlineData(0f, int.MaxValue)]
    [InlineData(float.MinValue, 123456)]
    public void Of_ThenScoreAndPosition_GivesThemBack(float score, int position)
    {
        ulong key = RankKey.Of(score, position);
        Assert.Equal(score, RankKey.Score(key));
        Assert.Equal(position, RankKey.Position(key));
    }
}
