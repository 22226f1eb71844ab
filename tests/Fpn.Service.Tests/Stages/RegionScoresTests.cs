using System.Net;
using Fpn.Service.Stages;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

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

    /// <summary>101 classes where one region may be sent, and so 100 scores answered.</summary>
    [Fact]
    public async Task Regions_MoreScoresThanAnAnswerMayHave_Are413()
    {
        using var models = new ModelFolder();
        new TinyPackage { Classes = 101 }.WriteTo(models.Path, "tiny");
        using var service = new RunningService(
            ("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "tiny"), ("Fpn:Limits:MaxRegions", "1"));
        var image = MadeImages.Read("smear-480x640.jpg");

        var fits = await service.Client.ClassifyAsync(image, "[[10, 10, 90, 90]]", "top=100");
        using var refused = await service.Client.PostRegionsAsync(image, "[[10, 10, 90, 90]]", "top=101");

        Assert.Equal(100, Assert.Single(fits.Regions()).GetProperty("scores").GetArrayLength());
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, refused.StatusCode);
        Assert.Contains(
            "101 classes each are more than 100 scores",
            await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
    }
}
