using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInferenceGrpc;

/// <summary>gRPC's library for JavaScript, which shares no code with .NET's or Python's, against the service.</summary>
[Trait("Speed", "slow")]
public sealed class JavaScriptClientTests
{
    private static readonly string Clients = Path.Combine(Checkout.Root, "tests", "Clients");

    [Fact]
    public async Task Client_CallsStreamsAndFailures_GetsWhatIsDocumented()
    {
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(Clients, "node_modules")),
            "tests/Clients/node_modules is absent: test.sh installs it.");
        using var file = new KeyFile(KeyFile.Entry("alice", KeyFile.Alice));
        using var calls = new GrpcCalls(("Fpn:Keys:File", file.Path));
        var http = calls.Service.Client;
        http.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Alice);
        var detect = await http.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.SampleImage, TestContext.Current.CancellationToken));

        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Clients,
            "node",
            "grpc.js",
            calls.Address.Authority,
            Path.Combine(Checkout.Root, "src", "Fpn.Service", "OpenInferenceGrpc", "inference.proto"),
            KeyFile.Alice,
            Checkout.SampleImage);
        Assert.True(exitCode == 0, output + errors);
        var answer = JsonSerializer.Deserialize<JsonElement>(output);

        Assert.True(answer.GetProperty("live").GetProperty("live").GetBoolean());
        Assert.True(answer.GetProperty("ready").GetProperty("ready").GetBoolean());
        Assert.Equal("SERVING", answer.GetProperty("health").GetProperty("status").GetString());
        Assert.True(answer.GetProperty("asBearer").GetProperty("ready").GetBoolean());
        Assert.Equal("7", answer.GetProperty("id").GetString());
        SampleClient.AssertDetections(detect, answer.GetProperty("found").EnumerateArray());

        AssertFailure(answer.GetProperty("unknownModel"), "NOT_FOUND", "unknown-model", "There is no model 'nobody'");
        AssertFailure(answer.GetProperty("noKey"), "UNAUTHENTICATED", "key-missing", string.Empty);
        AssertFailure(answer.GetProperty("wrongKey"), "UNAUTHENTICATED", "key-wrong", string.Empty);

        var stream = answer.GetProperty("stream");
        Assert.Equal("OK", stream.GetProperty("status").GetString());
        var answers = stream.GetProperty("answers");
        Assert.Equal(["asked", "first", "wrong"], answers.EnumerateObject().Select(member => member.Name).Order());
        Assert.All(
            answers.EnumerateObject(), member => Assert.True(member.Value.GetProperty("isFinal").GetBoolean()));
        SampleClient.AssertDetections(
            detect, answers.GetProperty("first").GetProperty("found").EnumerateArray());
        SampleClient.AssertDetections(
            detect, answers.GetProperty("asked").GetProperty("found").EnumerateArray());
        Assert.StartsWith(
            "There is no model 'nobody'",
            answers.GetProperty("wrong").GetProperty("error").GetString(),
            StringComparison.Ordinal);
    }

    private static void AssertFailure(JsonElement failure, string code, string type, string words)
    {
        Assert.Equal(code, failure.GetProperty("code").GetString());
        Assert.Equal(type, failure.GetProperty("type").GetString());
        Assert.StartsWith(words, failure.GetProperty("details").GetString(), StringComparison.Ordinal);
    }
}
