using Fpn.Detection.Suppression;

namespace Fpn.Detection.Tests.Suppression;

public class RankKeyTests
{
    [Fact]
    public void Create_ScoresOfEverySign_AscendAsScoresDescend()
    {
        float[] descending =
            [float.MaxValue, 2, 1, float.BitDecrement(1), float.Epsilon, 0, -float.Epsilon, -1, float.MinValue];
        for (var i = 1; i < descending.Length; i++)
        {
            Assert.True(RankKey.Create(descending[i - 1], 9) < RankKey.Create(descending[i], 0));
        }
    }

    [Fact]
    public void Create_EqualScores_LowerPositionFirst()
    {
        Assert.True(RankKey.Create(0.5f, 3) < RankKey.Create(0.5f, 4));
        Assert.True(RankKey.Create(-0f, 3) < RankKey.Create(0f, 4));
        Assert.True(RankKey.Create(0f, 3) < RankKey.Create(-0f, 4));
    }

    [Theory]
    [InlineData(0.25f, 0)]
    [InlineData(-7.5f, 1)]
    [InlineData(0f, int.MaxValue)]
    [InlineData(float.MinValue, 123456)]
    public void Create_ThenScoreAndPosition_GivesThemBack(float score, int position)
    {
        var key = RankKey.Create(score, position);
        Assert.Equal(score, RankKey.Score(key));
        Assert.Equal(position, RankKey.Position(key));
    }
}
