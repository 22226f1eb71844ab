using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Repository;

/// <summary>Packages that change while clients are answered, over HTTP.</summary>
[Trait("Speed", "slow")]
public sealed class HotReloadTests : IDisposable
{
    private const int Clients = 6;
    private const int AnswersEach = 4;

    private readonly ModelFolder _models = new();
    private readonly RunningService _service;

    public HotReloadTests()
    {
        _models.Add();
        _service = OperatedService.Start(("Fpn:Models:Path", _models.Path), ("Fpn:Batching:MaxBatchSize", "2"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Sample => MadeImages.Read("smear-480x640.jpg");

    public void Dispose()
    {
        _service.Dispose();
        _models.Dispose();
    }

    /// <summary>
    /// Each client asks without a pause; the package changes when all have answers of the old one, and they end when
    /// all have some of the new.
    /// </summary>
    [Fact]
    public async Task Load_ChangedPackageUnderLoad_FailsNobodyAndChangesTheVersionOnce()
    {
        var seen = new ConcurrentDictionary<(int Client, string Version), int>();
        var orders = new ConcurrentQueue<string[]>();
        var clients = Enumerable.Range(0, Clients).Select(client => Task.Run(
            async () =>
            {
                var versions = new List<string>();
                while (seen.GetValueOrDefault((client, "2")) < AnswersEach)
                {
                    var version = (await _service.Client.DetectAsync(Sample)).GetProperty("modelVersion").GetString()!;
                    versions.Add(version);
                    seen.AddOrUpdate((client, version), 1, (_, count) => count + 1);
                }

                orders.Enqueue([.. versions]);
            },
            Cancel)).ToArray();

        await Eventually.TrueAsync(() => HaveAll("1") || Array.Exists(clients, client => client.IsFaulted));
        SetVersion("2");
        using var loaded = await LoadAsync("blood-cells");
        Assert.Equal(HttpStatusCode.OK, loaded.StatusCode);
        await Task.WhenAll(clients);

        Assert.Equal(Clients, orders.Count);
        Assert.All(orders, versions =>
        {
            Assert.Equal(versions.Order(StringComparer.Ordinal), versions);
            Assert.Equal(["1", "2"], versions.Distinct());
        });

        bool HaveAll(string version) => Enumerable.Range(0, Clients)
            .All(client => seen.GetValueOrDefault((client, version)) >= AnswersEach);
    }

    [Fact]
    public async Task Load_BrokenPackage_KeepsTheOldOneAndTheErrorSaysWhy()
    {
        SetVersion("2");
        File.Delete(Path.Combine(_models.Path, "blood-cells", "head.onnx"));
        await File.WriteAllBytesAsync(
            Path.Combine(_models.Path, "blood-cells", "head.onnx"), "not a graph"u8.ToArray(), Cancel);
        using var response = await LoadAsync("blood-cells");
        var error = await ErrorAsync(response, HttpStatusCode.BadRequest);
        Assert.Contains("head.onnx", error, StringComparison.Ordinal);
        Assert.Contains("sha256", error, StringComparison.Ordinal);
        Assert.Equal("1", (await _service.Client.DetectAsync(Sample)).GetProperty("modelVersion").GetString());
        var model = Assert.Single(await IndexAsync());
        Assert.Equal(
            ("READY", "1"), (model.GetProperty("state").GetString(), model.GetProperty("version").GetString()));
        Assert.Contains("head.onnx", model.GetProperty("reason").GetString(), StringComparison.Ordinal);
        using var index = await _service.Client.PostAsync("v2/repository/index", null, Cancel);
        Assert.Contains("'files.head.sha256'", await index.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAndUnload_AnotherPackage_ComesAndGoes()
    {
        _models.Add("second");
        Assert.Equal([("blood-cells", "READY"), ("second", null)], States(await IndexAsync()));
        Assert.Equal([("blood-cells", "READY")], States(await IndexAsync("""{"ready": true}""")));
        using var unknown = await _service.Client.PostDetectAsync(Sample, "model=second");
        await ProblemBody.AssertAsync(unknown, HttpStatusCode.NotFound, "unknown-model");

        using var loaded = await LoadAsync("second", """{"parameters": {}}""");
        Assert.Equal(HttpStatusCode.OK, loaded.StatusCode);
        Assert.Equal(
            "second", (await _service.Client.DetectAsync(Sample, "model=second")).GetProperty("model").GetString());

        using var unloaded = await UnloadAsync("second", """{"parameters": {"unload_dependents": true}}""");
        Assert.Equal(HttpStatusCode.OK, unloaded.StatusCode);
        using var gone = await _service.Client.PostDetectAsync(Sample, "model=second");
        await ProblemBody.AssertAsync(gone, HttpStatusCode.NotFound, "unknown-model");
        var index = await IndexAsync();
        Assert.Equal([("blood-cells", "READY"), ("second", "UNAVAILABLE")], States(index));
        Assert.Equal("unloaded", index[1].GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData("""{"parameters": {"config": "{}"}}""", "config")]
    [InlineData("""{"parameters": {"file:1/model.onnx": "AAAA"}}""", "file:1/model.onnx")]
    [InlineData("""{"path": "/tmp"}""", "path")]
    [InlineData("""{"parameters": """, "")]
    [InlineData("null", "object")]
    public async Task Load_RequestThatBringsAnything_IsRefused(string body, string named)
    {
        using var response = await LoadAsync("blood-cells", body);
        Assert.Contains(named, await ErrorAsync(response, HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..%2Fblood-cells")]
    [InlineData("%2Ftmp")]
    [InlineData("Blood-Cells")]
    [InlineData("blood-cells%2Fmodel.json")]
    public async Task Load_NameThatIsNoPackage_IsRefused(string name)
    {
        using var loaded = await LoadAsync(name);
        await ErrorAsync(loaded, HttpStatusCode.BadRequest);
        using var unloaded = await UnloadAsync(name);
        await ErrorAsync(unloaded, HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Load_BodyTooLarge_IsRefused()
    {
        using var response = await LoadAsync("blood-cells", new string(' ', 70_000));
        await ErrorAsync(response, HttpStatusCode.RequestEntityTooLarge);
    }

    [Fact]
    public async Task Control_Off_IsRefused()
    {
        using var service = new RunningService(("Fpn:Models:Path", _models.Path));
        foreach (var path in (string[])["index", "models/blood-cells/load", "models/blood-cells/unload"])
        {
            using var response = await service.Client.PostAsync($"v2/repository/{path}", null, Cancel);
            Assert.Contains(
                "Fpn:Control:Enabled", await ErrorAsync(response, HttpStatusCode.Forbidden), StringComparison.Ordinal);
        }
    }

    private static (string? Name, string? State)[] States(JsonElement[] index) =>
        [.. index.Select(model => (
            model.GetProperty("name").GetString(),
            model.TryGetProperty("state", out var state) ? state.GetString() : null))];

    /// <summary>The error of an answer under <c>/v2</c>, which holds nothing else.</summary>
    private static async Task<string> ErrorAsync(HttpResponseMessage response, HttpStatusCode status)
    {
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.StatusCode == status, $"Expected {status}, got {response.StatusCode}: {text}");
        var error = Assert.Single(JsonDocument.Parse(text).RootElement.EnumerateObject());
        Assert.Equal("error", error.Name);
        return error.Value.GetString()!;
    }

    private async Task<JsonElement[]> IndexAsync(string body = "")
    {
        using var response = await PostAsync("index", body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonElement[]>(Cancel))!;
    }

    private Task<HttpResponseMessage> LoadAsync(string name, string body = "") =>
        PostAsync($"models/{name}/load", body);

    private Task<HttpResponseMessage> UnloadAsync(string name, string body = "") =>
        PostAsync($"models/{name}/unload", body);

    private async Task<HttpResponseMessage> PostAsync(string path, string body)
    {
        using var content = new StringContent(body);
        return await _service.Client.PostAsync($"v2/repository/{path}", content, Cancel);
    }

    /// <summary>Writes the manifest anew, as deployments do: beside it, then in its place.</summary>
    private void SetVersion(string version)
    {
        var file = Path.Combine(_models.Path, "blood-cells", "model.json");
        var text = ModelFolder.Edit(File.ReadAllText(file), "\"version\": \"1\"", $"\"version\": \"{version}\"");
        File.WriteAllText(file + ".new", text);
        File.Move(file + ".new", file, overwrite: true);
    }
}
