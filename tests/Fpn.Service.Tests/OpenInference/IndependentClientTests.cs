using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>The client in docs/sample, which shares no code with the service, gets what <c>/detect</c> finds.</summary>
[Collection(ServiceFixture.Collection)]
[Trait("Speed", "slow")]
public sealed class IndependentClientTests(ServiceFixture fixture)
{
    private const string Python = "/usr/bin/python3";

    private static readonly string Script = Path.Combine(Checkout.Root, "docs", "sample", "infer.py");

    [Theory]
    [InlineData("json", 2)]
    [InlineData("binary", 2)]
    [InlineData("raw", 1)]
    public async Task Client_EachForm_PrintsTheDetectionsOfDetect(string form, int images)
    {
        SkipWithoutPython();
        var answer = await fixture.Service.Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.SampleImage, TestContext.Current.CancellationToken));
        var expected = answer.GetProperty("detections").EnumerateArray().ToArray();
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Checkout.Root,
            Python,
            [
                Script, "--form", form, fixture.Service.Address.ToString(), "blood-cells",
                .. Enumerable.Repeat(Checkout.SampleImage, images),
            ]);

        Assert.True(exitCode == 0, errors);
        var printed = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToArray();
        Assert.Equal(images * expected.Length, printed.Length);
        Assert.NotEmpty(printed);
        for (var i = 0; i < printed.Length; i++)
        {
            var detection = expected[i % expected.Length];
            Assert.Equal(i / expected.Length, printed[i].GetProperty("image").GetInt32());
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
            Checkout.Root, Python, Script, fixture.Service.Address.ToString(), "nobody", Checkout.SampleImage);
        Assert.NotEqual(0, exitCode);
        Assert.StartsWith("404: There is no model 'nobody'", errors, StringComparison.Ordinal);
    }

    private static void SkipWithoutPython() =>
        Assert.SkipUnless(File.Exists(Python), "python3-torch is absent, and python3 with it.");
}
