using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>The client in docs/sample, which shares no code with the service, gets what <c>/detect</c> finds.</summary>
[Collection(ServiceFixture.Collection)]
[Trait("Speed", "slow")]
public sealed class IndependentClientTests(ServiceFixture fixture)
{
    private const string Script = "infer.py";

    [Theory]
    [InlineData("json", 2)]
    [InlineData("binary", 2)]
    [InlineData("raw", 1)]
    public async Task Client_EachForm_PrintsTheDetectionsOfDetect(string form, int images)
    {
        Assert.SkipWhen(SampleClient.Absent is not null, SampleClient.Absent ?? string.Empty);
        var answer = await fixture.Service.Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.SampleImage, TestContext.Current.CancellationToken));
        var (exitCode, printed, errors) = await SampleClient.RunAsync(
            Script,
            [
                "--form", form, fixture.Service.Address.ToString(), "blood-cells",
                .. Enumerable.Repeat(Checkout.SampleImage, images),
            ]);

        Assert.True(exitCode == 0, errors);
        var found = printed.ToLookup(line => line.GetProperty("image").GetInt32());
        Assert.Equal(Enumerable.Range(0, images), found.Select(image => image.Key));
        Assert.All(found, image => SampleClient.AssertDetections(answer, image));
    }

    [Fact]
    public async Task Client_UnknownModel_PrintsTheError()
    {
        Assert.SkipWhen(SampleClient.Absent is not null, SampleClient.Absent ?? string.Empty);
        var (exitCode, _, errors) = await SampleClient.RunAsync(
            Script, fixture.Service.Address.ToString(), "nobody", Checkout.SampleImage);
        Assert.NotEqual(0, exitCode);
        Assert.StartsWith("404: There is no model 'nobody'", errors, StringComparison.Ordinal);
    }
}
