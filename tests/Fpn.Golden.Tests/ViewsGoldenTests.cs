using Fpn.Testing.Goldens;
using Fpn.Testing.Running;

namespace Fpn.Golden.Tests;

/// <summary>Slices, scales and mirror images give what a small program finds that puts torchvision's pieces together as
/// detectron2's test-time augmentation does.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ViewsGoldenTests(ServiceFixture fixture)
{
    private static readonly ViewsGolden Golden = GoldenFolder.ReadJson<ViewsGolden>("blood-cells", "views.json");

    public static TheoryData<string, string> Cases => [.. Golden.Cases.Select(golden => (golden.Image, golden.Query))];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Detect_Views_EqualTheReference(string image, string query)
    {
        var golden = Assert.Single(Golden.Cases, golden => golden.Image == image && golden.Query == query);
        var picture = await File.ReadAllBytesAsync(
            GoldenFolder.At("blood-cells", "images", image), TestContext.Current.CancellationToken);

        var answer = await fixture.Service.Client.DetectAsync(picture, query);

        Assert.Equal(golden.Views, answer.GetProperty("views").GetInt32());
        Assert.NotEmpty(golden.Detections);
        DetectionMatcher.AssertMatches(
            $"{image} {query}",
            golden.Detections,
            ServedDetections.Of(answer),
            GoldenModel.BloodCells.Meta.Tolerance);
    }

    private sealed record ViewsGolden(ViewsCase[] Cases);

    private sealed record ViewsCase(string Image, string Query, int Views, GoldenDetection[] Detections);
}
