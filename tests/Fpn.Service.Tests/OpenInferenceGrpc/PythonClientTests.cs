using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>
/// The client in docs/sample, on Google's library for Python, which shares no code with the service, gets what
/// <c>/detect</c> finds.
/// </summary>
[Trait("Speed", "slow")]
public sealed class PythonClientTests(GrpcServiceFixture fixture) : IClassFixture<GrpcServiceFixture>
{
    private const string Python = "/usr/bin/python3";

    private static readonly string Script = Path.Combine(Checkout.Root, "docs", "sample", "infer_grpc.py");

    [Theory]
    [InlineData("raw")]
    [InlineData("typed")]
    [InlineData("stream")]
    public async Task Client_EachForm_PrintsTheDetectionsOfDetect(string form)
    {
        SkipWithoutPython();
        var calls = fixture.Calls;
        var answer = await calls.Service.Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.SampleImage, TestContext.Current.CancellationToken));
        var expected = answer.GetProperty("detections").EnumerateArray().ToArray();
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Checkout.Root,
            Python,
            Script, "--form", form, calls.Address.Authority, "blood-cells", Checkout.SampleImage, Checkout.SampleImage);

        Assert.True(exitCode == 0, errors);
        var printed = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .OrderBy(line => form == "stream" ? line.GetProperty("id").GetString() : "", StringComparer.Ordinal)
            .ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(2 * expected.Length, printed.Length);
        for (var i = 0; i < printed.Length; i++)
        {
            var (image, detection) = (i / expected.Length, expected[i % expected.Length]);
            Assert.Equal(form == "stream" ? 0 : image, printed[i].GetProperty("image").GetInt32());
            Assert.Equal(form == "stream" ? $"{image}" : "all", printed[i].GetProperty("id").GetString());
            Assert.Equal(detection.GetProperty("classId").GetInt32(), printed[i].GetProperty("classId").GetInt32());

            // Two images may share a batch, which may change the last bits.
            Assert.Equal(detection.GetProperty("score").GetDouble(), printed[i].GetProperty("score").GetDouble(), 1e-4);
            var box = ((string[])["x1", "y1", "x2", "y2"])
                .Select(side => detection.GetProperty("box").GetProperty(side).GetDouble());
            Assert.All(
                box.Zip(printed[i].GetProperty("box").EnumerateArray()),
                pair => Assert.Equal(pair.First, pair.Second.GetDouble(), 0.05));
        }
    }

    [Fact]
    public async Task Client_UnknownModel_PrintsTheError()
    {
        SkipWithoutPython();
        var (exitCode, _, errors) = await ProgramRun.RunAsync(
            Checkout.Root, Python, Script, fixture.Calls.Address.Authority, "nobody", Checkout.SampleImage);
        Assert.NotEqual(0, exitCode);
        Assert.Contains("NOT_FOUND: There is no model 'nobody'", errors, StringComparison.Ordinal);
    }

    private static void SkipWithoutPython() => Assert.SkipUnless(
        File.Exists("/usr/lib/python3/dist-packages/grpc/__init__.py") && File.Exists("/usr/bin/protoc"),
        "python3-grpcio is absent, or protoc.");
}
