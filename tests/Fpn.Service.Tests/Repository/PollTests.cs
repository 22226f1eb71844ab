using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Repository;

/// <summary>Packages that arrive while the service looks for them.</summary>
[Trait("Speed", "slow")]
public sealed class PollTests : IDisposable
{
    private const string NotLoaded = "was not loaded";

    private readonly ModelFolder _models = new();
    private readonly RunningService _service;

    public PollTests()
    {
        _models.AddVersion("pets", "1");
        _service = OperatedService.Start(
            ("Fpn:Models:Path", _models.Path),
            ("Fpn:Models:Default", "pets"),
            ("Fpn:Models:Poll", "1s"),
            ("Fpn:Batching:MaxBatchSize", "1"));
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Sample => MadeImages.Read("smear-480x640.jpg");

    public void Dispose()
    {
        _service.Dispose();
        _models.Dispose();
    }

    /// <summary>Clients ask without a pause until each is answered by the new version.</summary>
    [Fact]
    public async Task Poll_NewVersionUnderLoad_TakesOverWithoutAFailure()
    {
        var orders = new ConcurrentQueue<string[]>();
        var first = new TaskCompletionSource();
        var clients = Enumerable.Range(0, 4).Select(_ => Task.Run(
            async () =>
            {
                var versions = new List<string>();
                while (versions.LastOrDefault() != "2")
                {
                    versions.Add(await AskAsync());
                    first.TrySetResult();
                }

                orders.Enqueue([.. versions.Distinct()]);
            },
            Cancel)).ToArray();
        await first.Task.WaitAsync(Cancel);
        _models.AddVersion("pets", "2");
        await Task.WhenAll(clients);
        Assert.Equal(4, orders.Count);
        Assert.All(orders, versions => Assert.True(versions is ["1", "2"] or ["2"]));
        Assert.Contains(orders, versions => versions is ["1", "2"]);

        // The one before stays.
        using var response = await _service.Client.GetAsync("v2/models/pets/versions/1/ready", Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Poll_FileIsHalfThere_IsLoadedWhenItIsWhole()
    {
        var whole = File.ReadAllBytes(ModelFolder.OriginalFile("backbone.onnx"));
        using var elsewhere = new ModelFolder();
        var made = elsewhere.AddVersion("pets", "2");
        File.Delete(Path.Combine(made, "backbone.onnx"));
        await File.WriteAllBytesAsync(Path.Combine(made, "backbone.onnx"), whole[..(whole.Length / 2)], Cancel);
        var package = Path.Combine(_models.Path, "pets", "2");
        Directory.Move(made, package);
        var backbone = Path.Combine(package, "backbone.onnx");

        await _service.Log.WaitForAsync(0, line => line.Contains(NotLoaded, StringComparison.Ordinal), Cancel);
        Assert.Equal("1", await AskAsync());
        var second = Array.Find(await IndexAsync(), state => state.GetProperty("version").ValueEquals("2"));
        Assert.Equal("UNAVAILABLE", second.GetProperty("state").GetString());
        var reason = second.GetProperty("reason").GetString();
        Assert.Contains(backbone, reason, StringComparison.Ordinal);
        Assert.Contains("'files.backbone.sha256'", reason, StringComparison.Ordinal);

        await File.WriteAllBytesAsync(backbone, whole, Cancel);
        await Eventually.TrueAsync(async () => await AskAsync() == "2");

        // Once for the file that was cut, however often it was seen.
        Assert.Single(_service.Log.All, line => line.Contains(NotLoaded, StringComparison.Ordinal));
        Assert.Equal(
            ["READY", "READY"], (await IndexAsync()).Select(state => state.GetProperty("state").GetString()));
    }

    [Fact]
    public async Task Unload_Model_IsNotUndoneByThePoll()
    {
        using var unloaded = await _service.Client.PostAsync("v2/repository/models/pets/unload", null, Cancel);
        Assert.Equal(HttpStatusCode.OK, unloaded.StatusCode);
        _models.AddVersion("pets", "2");

        // A model that comes after it, and is loaded, shows that the poll has seen both.
        _models.Add("zebras");
        await Eventually.TrueAsync(async () =>
            (await IndexAsync()).Any(state => state.GetProperty("name").ValueEquals("zebras")
                && state.TryGetProperty("state", out var word) && word.ValueEquals("READY")));
        using var refused = await _service.Client.PostDetectAsync(Sample);
        await ProblemBody.AssertAsync(refused, HttpStatusCode.NotFound, "unknown-model");
        using var loaded = await _service.Client.PostAsync("v2/repository/models/pets/load", null, Cancel);
        Assert.Equal(HttpStatusCode.OK, loaded.StatusCode);
        Assert.Equal("2", await AskAsync());
    }

    private async Task<string> AskAsync() =>
        (await _service.Client.DetectAsync(Sample)).GetProperty("modelVersion").GetString()!;

    private async Task<JsonElement[]> IndexAsync()
    {
        using var response = await _service.Client.PostAsync("v2/repository/index", null, Cancel);
        return (await response.Content.ReadFromJsonAsync<JsonElement[]>(Cancel))!;
    }
}
