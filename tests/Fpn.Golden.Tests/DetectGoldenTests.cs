using Fpn.Testing.Goldens;
using Fpn.Testing.Running;

namespace Fpn.Golden.Tests;

/// <summary>What <c>POST /detect</c> answers is what torchvision finds with the same checkpoint, for each committed
/// model.</summary>
[Collection(ShippedServiceFixture.Collection)]
public sealed class DetectGoldenTests(ShippedServiceFixture fixture)
{
    public static TheoryData<string, string> Cases => GoldenModel.AllCases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Detect_GoldenImage_EqualsTorchvision(string model, string name)
    {
        var golden = GoldenModel.Of(model).Load(name);

        var body = await ServedDetections.PostAsync(
            fixture.Service.Client, golden.ReadImage(), TestContext.Current.CancellationToken, model);

        var image = body.GetProperty("image");
        Assert.Equal(golden.Original, new GoldenSize(
            image.GetProperty("height").GetInt32(), image.GetProperty("width").GetInt32()));
        var detections = ServedDetections.Of(body);
        DetectionMatcher.AssertMatches(
            $"{model} {name}", golden.Detections, detections, GoldenModel.Of(model).Meta.Tolerance);
        Assert.Equal(detections.Select(d => d.Score).OrderDescending(), detections.Select(d => d.Score));
    }
}
