using System.Net;
using System.Text.Json;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>A multi-model endpoint of SageMaker: models are loaded from folders, listed and unloaded.</summary>
[Trait("Speed", "slow")]
public sealed class MultiModelTests : IAsyncLifetime
{
    private readonly ModelFolder _models = new();
    private readonly HttpClient _client = new();
    private readonly ServiceProcess _process;

    public MultiModelTests()
    {
        _models.Add();
        _models.Add("broken", text => ModelFolder.Edit(text, "\"version\": \"1\"", "\"version\": 1"));
        _process = new ServiceProcess(
            [$"--Fpn:Compatibility:SageMaker:Models={_models.Path}", "--Fpn:Batching:MaxBatchSize=1"],
            ("SAGEMAKER_MULTI_MODEL", "true"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Package => Path.Combine(_models.Path, "blood-cells");

    public async ValueTask InitializeAsync() => _client.BaseAddress = await _process.WaitForAddressAsync();

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _process.Dispose();
        _models.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>In the order in which SageMaker asks.</summary>
    [Fact]
    public async Task Models_LoadedAskedAndUnloaded_AreWhatSageMakerReads()
    {
        Assert.Equal(HttpStatusCode.OK, (await StatusAsync(HttpMethod.Get, "ping")).Status);
        Assert.Equal("""{"models":[]}""", await _client.GetStringAsync("models", Cancel));
        Assert.Equal(HttpStatusCode.NotFound, (await StatusAsync(HttpMethod.Get, "models/3f2a")).Status);
        Assert.Equal(HttpStatusCode.NotFound, await InvokeAsync("3f2a"));

        // The same package twice, by names that SageMaker makes up.
        foreach (var name in (string[])["b7", "3f2a"])
        {
            Assert.Equal(HttpStatusCode.OK, (await LoadAsync(name, Package)).Status);
        }

        var (status, text) = await LoadAsync("b7", Package);
        Assert.Equal(HttpStatusCode.Conflict, status);
        Assert.Contains("'b7' is loaded", text, StringComparison.Ordinal);

        using (var list = JsonDocument.Parse(await _client.GetStringAsync("models", Cancel)))
        {
            Assert.Equal(
                [("3f2a", Package), ("b7", Package)],
                list.RootElement.GetProperty("models").EnumerateArray().Select(model => (
                    model.GetProperty("modelName").GetString(), model.GetProperty("modelUrl").GetString())));
            Assert.False(list.RootElement.TryGetProperty("nextPageToken", out _));
        }

        Assert.Equal(
            $$"""{"modelName":"b7","modelUrl":"{{Package}}"}""", await _client.GetStringAsync("models/b7", Cancel));
        Assert.Equal(HttpStatusCode.OK, await InvokeAsync("b7"));

        Assert.Equal(HttpStatusCode.OK, (await StatusAsync(HttpMethod.Delete, "models/b7")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await StatusAsync(HttpMethod.Delete, "models/b7")).Status);
        Assert.Equal(HttpStatusCode.NotFound, await InvokeAsync("b7"));
        Assert.Equal(HttpStatusCode.OK, await InvokeAsync("3f2a"));
        Assert.Equal(HttpStatusCode.OK, (await LoadAsync("b7", Package)).Status);
    }

    [Fact]
    public async Task List_WithALimit_ComesInPages()
    {
        foreach (var name in (string[])["c", "a", "b"])
        {
            Assert.Equal(HttpStatusCode.OK, (await LoadAsync(name, Package)).Status);
        }

        using var first = JsonDocument.Parse(await _client.GetStringAsync("models?limit=2", Cancel));
        Assert.Equal(["a", "b"], Names(first));
        var token = first.RootElement.GetProperty("nextPageToken").GetString();
        using var second = JsonDocument.Parse(
            await _client.GetStringAsync($"models?limit=2&next_page_token={token}", Cancel));
        Assert.Equal(["c"], Names(second));
        Assert.False(second.RootElement.TryGetProperty("nextPageToken", out _));
        Assert.Equal(HttpStatusCode.BadRequest, (await StatusAsync(HttpMethod.Get, "models?limit=0")).Status);
    }

    [Fact]
    public async Task Load_WhatIsNotAPackage_IsRefusedWithTheReason()
    {
        (string Body, HttpStatusCode Status, string Words)[] cases =
        [
            (Body("x", _models.Path), HttpStatusCode.BadRequest, "url: Must be the path of a folder below"),
            (Body("x", $"{_models.Path}/../etc"), HttpStatusCode.BadRequest, "below"),
            (Body("x", $"{_models.Path}-other/x"), HttpStatusCode.BadRequest, "below"),
            (Body("x", "blood-cells"), HttpStatusCode.BadRequest, "below"),
            (Body("x", $"{_models.Path}/none"), HttpStatusCode.NotFound, "There is no folder"),
            (Body("x", $"{_models.Path}/broken"), HttpStatusCode.BadRequest, "Failed to load 'x'"),
            (Body("../x", Package), HttpStatusCode.BadRequest, "model_name"),
            (Body("", Package), HttpStatusCode.BadRequest, "model_name"),
            ($$"""{"url": "{{Package}}"}""", HttpStatusCode.BadRequest, "model_name"),
            ("""{"model_name": "x"}""", HttpStatusCode.BadRequest, "url"),
            ("""{"model_name": "x", "url": "/\u0000"}""", HttpStatusCode.BadRequest, "url"),
            ("""{"model_name": """, HttpStatusCode.BadRequest, "not valid JSON"),
        ];
        foreach (var (body, expected, words) in cases)
        {
            using var response = await _client.PostJsonAsync("models", body);
            await response.AssertErrorAsync((int)expected, words);
        }

        // What failed can be tried again.
        Assert.Equal(HttpStatusCode.OK, (await LoadAsync("x", Package)).Status);
    }

    private static IEnumerable<string?> Names(JsonDocument page) => page.RootElement.GetProperty("models")
        .EnumerateArray().Select(model => model.GetProperty("modelName").GetString());

    private static string Body(string name, string folder) => $$"""{"model_name": "{{name}}", "url": "{{folder}}"}""";

    private async Task<(HttpStatusCode Status, string Text)> LoadAsync(string name, string folder)
    {
        using var response = await _client.PostJsonAsync("models", Body(name, folder));
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
    }

    private async Task<(HttpStatusCode Status, string Text)> StatusAsync(HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var response = await _client.SendAsync(request, Cancel);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
    }

    /// <summary>Invokes a model with an image and with JSON, which must end alike.</summary>
    private async Task<HttpStatusCode> InvokeAsync(string model)
    {
        using var content = new ByteArrayContent(ContractServices.Sample);
        content.Headers.Add("Content-Type", "image/jpeg");
        content.Headers.Add("X-Amzn-SageMaker-Custom-Attributes", "scoreThreshold=0.5");
        using var response = await _client.PostAsync($"models/{model}/invoke", content, Cancel);
        using var json = await _client.PostJsonAsync(
            $"models/{model}/invoke",
            $$"""
            {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1],
            "data": ["{{ContractCalls.Base64(ContractServices.Sample)}}"]}]}
            """);
        Assert.Equal(response.StatusCode, json.StatusCode);
        if (response.IsSuccessStatusCode)
        {
            var answer = await response.ReadJsonAsync();
            Assert.Equal(model, answer.GetProperty("model").GetString());
            Assert.NotEmpty(answer.Detections());
            Assert.Equal(model, (await json.ReadJsonAsync()).GetProperty("model_name").GetString());
        }

        return response.StatusCode;
    }
}
