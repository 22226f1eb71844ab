using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>
/// The client in docs/sample, on Google's library for Python, which shares no code with the service, gets what
/// <c>/detect</c> finds.
/// </summary>
[Trait("Speed", "slow")]
public sealed class PythonClientTests(GrpcServiceFixture fixture) : IClassFixture<GrpcServiceFixture>
{
    private const string Script = "infer_grpc.py";

    [Theory]
    [InlineData("raw")]
    [InlineData("typed")]
    [InlineData("stream")]
    public async Task Client_EachForm_PrintsTheDetectionsOfDetect(string form)
    {
        Assert.SkipWhen(SampleClient.GrpcAbsent is not null, SampleClient.GrpcAbsent ?? string.Empty);
        var calls = fixture.Calls;
        var answer = await calls.Service.Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.SampleImage, TestContext.Current.CancellationToken));
        var (exitCode, printed, errors) = await SampleClient.RunAsync(
            Script, "--form", form, calls.Address.Authority, "blood-cells", Checkout.SampleImage, Checkout.SampleImage);

        Assert.True(exitCode == 0, errors);
        var isStream = form == "stream";
        var images = printed.ToLookup(
            line => (line.GetProperty("id").GetString(), line.GetProperty("image").GetInt32()));
        Assert.Equal(2, images.Count);
        SampleClient.AssertDetections(answer, images[isStream ? ("0", 0) : ("all", 0)]);
        SampleClient.AssertDetections(answer, images[isStream ? ("1", 0) : ("all", 1)]);
    }

    [Fact]
    public async Task Client_UnknownModel_PrintsTheError()
    {
        Assert.SkipWhen(SampleClient.GrpcAbsent is not null, SampleClient.GrpcAbsent ?? string.Empty);
        var (exitCode, _, errors) = await SampleClient.RunAsync(
            Script, fixture.Calls.Address.Authority, "nobody", Checkout.SampleImage);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("NOT_FOUND: There is no model 'nobody'", errors, StringComparison.Ordinal);
    }
}
