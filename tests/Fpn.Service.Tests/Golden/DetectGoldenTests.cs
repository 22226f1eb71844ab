using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Golden;

/// <summary>What <c>POST /detect</c> answers is what torchvision finds with the same checkpoint.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class DetectGoldenTests(ServiceFixture fixture)
{
    public static TheoryData<string> Cases => GoldenCase.Names;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Detect_GoldenImage_EqualsTorchvision(string name)
    {
        var golden = GoldenCase.Load(name);

        var body = await ServedDetections.PostAsync(fixture.Service.Client, golden.ReadImage(), TestContext.Current.CancellationToken);

        var image = body.GetProperty("image");
        Assert.Equal(golden.Original, new GoldenSize(image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32()));
        var detections = ServedDetections.Of(body);
        DetectionMatcher.AssertMatches(name, golden.Detections, detections, GoldenCase.Meta.Tolerance);
        Assert.Equal(detections.Select(d => d.Score).OrderDescending(), detections.Select(d => d.Score));
    }
}
