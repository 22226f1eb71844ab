using System.Net;
using System.Text.Json;
using Fpn.Service.Lifetime;
using Fpn.Service.Tests.Repository;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>The reading half of the protocol: each test is one of its rules.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class MetadataTests(ServiceFixture fixture)
{
    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("v2")]
    [InlineData("v2/")]
    public async Task ServerMetadata_Get_NamesServerVersionAndExtensions(string path)
    {
        var server = await Client.GetJsonAsync(path);
        Assert.Equal(["name", "version", "extensions"], server.EnumerateObject().Select(member => member.Name));
        Assert.Equal("Fpn.Service", server.GetProperty("name").GetString());
        Assert.Matches(@"^\d+\.\d+\.\d+", server.GetProperty("version").GetString());
        Assert.Equal(
            ["binary_tensor_data", "schedule_policy", "parameters", "statistics"],
            Strings(server.GetProperty("extensions")));
    }

    [Fact]
    public async Task ServerMetadata_ControlOn_NamesTheRepositoryExtension()
    {
        using var service = OperatedService.Start();
        Assert.Contains(
            "model_repository", Strings((await service.Client.GetJsonAsync("v2")).GetProperty("extensions")));
    }

    [Fact]
    public async Task ServerLive_WhileItAnswers_Is200WithLive() =>
        Assert.True((await Client.GetJsonAsync("v2/health/live")).GetProperty("live").GetBoolean());

    [Fact]
    public async Task ServerReady_EveryModelLoaded_Is200WithLive()
    {
        var ready = await Client.GetJsonAsync("v2/health/ready");
        Assert.True(ready.GetProperty("live").GetBoolean());
        Assert.True(ready.GetProperty("ready").GetBoolean());
        Assert.False(ready.TryGetProperty("error", out _));
    }

    [Fact]
    public async Task ServerReady_ShuttingDown_Is400ThatSaysWhyAndStaysLive()
    {
        using var service = new RunningService();
        await service.Services.GetRequiredService<Drain>().StoppingAsync(Cancel);
        using var response = await service.Client.GetAsync("v2/health/ready", Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel)).RootElement;
        Assert.False(body.GetProperty("ready").GetBoolean());
        Assert.NotEmpty(body.GetProperty("error").GetString()!);
        Assert.True((await service.Client.GetJsonAsync("v2/health/live")).GetProperty("live").GetBoolean());
    }

    [Theory]
    [InlineData("v2/models/blood-cells")]
    [InlineData("v2/models/blood-cells/versions/1")]
    public async Task ModelMetadata_Get_DescribesVersionsPlatformAndTensors(string path)
    {
        var model = await Client.GetJsonAsync(path);
        Assert.Equal(
            ["name", "versions", "platform", "inputs", "outputs"],
            model.EnumerateObject().Select(member => member.Name));
        Assert.Equal("blood-cells", model.GetProperty("name").GetString());
        Assert.Equal(["1"], Strings(model.GetProperty("versions")));
        Assert.Equal("onnx_onnxv1", model.GetProperty("platform").GetString());
        Assert.Equal([("image", "BYTES", "[-1]")], TensorsOf(model.GetProperty("inputs")));
        Assert.Equal(
            [
                ("boxes", "FP32", "[-1,4]"), ("scores", "FP32", "[-1]"), ("labels", "INT64", "[-1]"),
                ("image_index", "INT64", "[-1]"),
            ],
            TensorsOf(model.GetProperty("outputs")));
    }

    [Theory]
    [InlineData("v2/models/blood-cells/ready")]
    [InlineData("v2/models/blood-cells/versions/1/ready")]
    public async Task ModelReady_Loaded_Is200WithNameAndReady(string path)
    {
        var ready = await Client.GetJsonAsync(path);
        Assert.Equal(["name", "ready"], ready.EnumerateObject().Select(member => member.Name));
        Assert.Equal("blood-cells", ready.GetProperty("name").GetString());
        Assert.True(ready.GetProperty("ready").GetBoolean());
    }

    [Theory]
    [InlineData("v2/models/nobody", "nobody")]
    [InlineData("v2/models/nobody/ready", "nobody")]
    [InlineData("v2/models/nobody/versions/1", "nobody")]
    [InlineData("v2/models/Blood-Cells", "Blood-Cells")]
    [InlineData("v2/models/blood-cells/versions/2", "'2'")]
    [InlineData("v2/models/blood-cells/versions/2/ready", "'2'")]
    [InlineData("v2/models/blood-cells/versions/01", "'01'")]
    [InlineData("v2/models/blood-cells/versions/-1", "'-1'")]
    [InlineData("v2/models/..%2fblood-cells", "..%2fblood-cells")]
    public async Task Model_UnknownNameOrVersion_Is404ThatNamesIt(string path, string named)
    {
        using var response = await Client.GetAsync(path, Cancel);
        Assert.Contains(named, await response.ErrorAsync(HttpStatusCode.NotFound), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v2/nothing")]
    [InlineData("v2/models")]
    [InlineData("v2/models/blood-cells/versions")]
    [InlineData("v2/models/blood-cells/config")]
    [InlineData("v2/health")]
    [InlineData("v2/health/LIVE")]
    [InlineData("v2/Models/blood-cells")]
    [InlineData("v2/models/blood-cells/Versions/1")]
    public async Task Path_Unknown_Is404InTheProtocolsForm(string path)
    {
        using var response = await Client.GetAsync(path, Cancel);
        await response.ErrorAsync(HttpStatusCode.NotFound);
    }

    [Theory]
    [InlineData("V2/health/live")]
    [InlineData("v22")]
    public async Task Path_NotTheProtocols_Is404AsAProblem(string path) =>
        await ProblemBody.AssertAsync(await Client.GetAsync(path, Cancel), HttpStatusCode.NotFound, "not-found");

    [Theory]
    [InlineData("POST", "v2", "GET")]
    [InlineData("POST", "v2/health/ready", "GET")]
    [InlineData("DELETE", "v2/models/blood-cells", "GET")]
    [InlineData("GET", "v2/models/blood-cells/infer", "POST")]
    [InlineData("PUT", "v2/models/blood-cells/versions/1/infer", "POST")]
    public async Task Path_OtherMethod_Is405WithAllow(string method, string path, string allowed)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var response = await Client.SendAsync(request, Cancel);
        await response.ErrorAsync(HttpStatusCode.MethodNotAllowed);
        Assert.Equal(allowed, Assert.Single(response.Content.Headers.Allow));
    }

    private static string[] Strings(JsonElement array) =>
        [.. array.EnumerateArray().Select(element => element.GetString()!)];

    private static (string Name, string Datatype, string Shape)[] TensorsOf(JsonElement array) =>
    [
        .. array.EnumerateArray().Select(tensor =>
        {
            Assert.Equal(["name", "datatype", "shape"], tensor.EnumerateObject().Select(member => member.Name));
            return (
                tensor.GetProperty("name").GetString()!,
                tensor.GetProperty("datatype").GetString()!,
                tensor.GetProperty("shape").GetRawText());
        }),
    ];
}
