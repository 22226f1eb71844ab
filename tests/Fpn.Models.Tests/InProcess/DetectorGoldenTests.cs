using Fpn.Testing.Goldens;
using Fpn.Testing.Running;

namespace Fpn.Models.Tests.InProcess;

/// <summary>A detector in this process finds what <c>POST /detect</c> answers, to the last digit of the
/// answer.</summary>
[Collection(ShippedServiceFixture.Collection)]
[Trait("Speed", "slow")]
public sealed class DetectorGoldenTests(ShippedServiceFixture service, DetectorFixture detectors)
    : IClassFixture<DetectorFixture>
{
    public static TheoryData<string, string> Cases => GoldenModel.AllCases;

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Detect_GoldenImage_FindsWhatTheServiceAnswers(string model, string name)
    {
        var image = GoldenModel.Of(model).Load(name).ReadImage();
        var body = await ServedDetections.PostAsync(
            service.Service.Client, image, TestContext.Current.CancellationToken, model);

        var found = detectors.Get(model).Detect(image, TestContext.Current.CancellationToken);

        var served = body.GetProperty("image");
        Assert.Equal(
            (served.GetProperty("width").GetInt32(), served.GetProperty("height").GetInt32()),
            (found.Size.Width, found.Size.Height));
        Assert.Equal(
            [.. ServedDetections.Of(body).Select(Text)],
            found.Objects.Select(item => Text(new GoldenDetection(
                item.Label,
                Math.Round((double)item.Score, 5),
                [Rounded(item.Box.X1), Rounded(item.Box.Y1), Rounded(item.Box.X2), Rounded(item.Box.Y2)],
                item.Level))));
    }

    private static double Rounded(float coordinate) => Math.Round((double)coordinate, 3);

    private static string Text(GoldenDetection detection) =>
        $"{detection.Label} {detection.Score:R} "
        + $"{string.Join(' ', detection.Box.Select(value => $"{value:R}"))} {detection.Level}";
}
