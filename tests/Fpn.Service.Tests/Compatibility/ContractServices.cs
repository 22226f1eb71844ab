using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>Services with every contract, an open one and one that asks for keys, for all tests of contracts.</summary>
public sealed class ContractServices : IDisposable
{
    /// <summary>Name of the collection.</summary>
    public const string Collection = "contracts";

    private readonly Dictionary<string, FoundObject[]> _found = [];
    private readonly KeyFile _keys = new(KeyFile.Entry("alice", KeyFile.Alice));

    public ContractServices()
    {
        Open = new(("Fpn:Compatibility:Served", "all"));
        Guarded = new(("Fpn:Compatibility:Served", "all"), ("Fpn:Keys:File", _keys.Path));
    }

    /// <summary>The picture that tests send.</summary>
    internal static byte[] Sample { get; } = File.ReadAllBytes(Checkout.SampleImage);

    /// <summary>Without keys.</summary>
    internal RunningService Open { get; }

    /// <summary>With <see cref="KeyFile.Alice"/>'s key, for detection.</summary>
    internal RunningService Guarded { get; }

    /// <summary>What <c>/detect</c> finds in the sample, which every contract repeats in its own form.</summary>
    /// <remarks>Asked once for each query: the tests of a collection run one after the other.</remarks>
    internal async Task<FoundObject[]> DetectAsync(string query = "")
    {
        if (!_found.TryGetValue(query, out var found))
        {
            found = _found[query] = Read(await Open.Client.DetectAsync(Sample, query));
        }

        return found;
    }

    public void Dispose()
    {
        Open.Dispose();
        Guarded.Dispose();
        _keys.Dispose();
    }

    private static FoundObject[] Read(JsonElement answer)
    {
        var size = answer.GetProperty("image");
        return
        [
            .. answer.GetProperty("detections").EnumerateArray().Select(found => new FoundObject(
                found.GetProperty("label").GetString()!,
                found.GetProperty("classId").GetInt32(),
                found.GetProperty("score").GetDouble(),
                [.. ((string[])["x1", "y1", "x2", "y2"]).Select(side => Side(found, side))],
                size.GetProperty("width").GetInt32(),
                size.GetProperty("height").GetInt32())),
        ];

        static double Side(JsonElement found, string side) => found.GetProperty("box").GetProperty(side).GetDouble();
    }
}

/// <summary>Tests of contracts share their services.</summary>
[CollectionDefinition(ContractServices.Collection)]
public sealed class SharedContractServices : ICollectionFixture<ContractServices>;

/// <summary>A detection as <c>/detect</c> answers it.</summary>
/// <param name="Label">Its label.</param>
/// <param name="ClassId">Id of its class.</param>
/// <param name="Score">0 to 1, five decimals.</param>
/// <param name="Box">x1, y1, x2, y2 in pixels, three decimals.</param>
/// <param name="Width">Width of the image.</param>
/// <param name="Height">Height of the image.</param>
internal sealed record FoundObject(string Label, int ClassId, double Score, double[] Box, int Width, int Height);

/// <summary>Requests of contracts.</summary>
internal static class ContractCalls
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Base64 of a picture.</summary>
    public static string Base64(byte[] image) => Convert.ToBase64String(image);

    /// <summary>Sends JSON.</summary>
    /// <param name="client">Whose base address is the service's.</param>
    /// <param name="path">Path and query.</param>
    /// <param name="json">The body, well-formed or not.</param>
    /// <param name="contentType">Of the body.</param>
    public static async Task<HttpResponseMessage> PostJsonAsync(
        this HttpClient client, string path, string json, string contentType = "application/json")
    {
        using var content = new StringContent(json);
        content.Headers.Remove("Content-Type");
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return await client.PostAsync(path, content, Cancel);
    }

    /// <summary>The JSON of an answer that must have this status.</summary>
    public static async Task<JsonElement> ReadJsonAsync(this HttpResponseMessage response, int status = 200)
    {
        Assert.True(
            (int)response.StatusCode == status,
            $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancel)}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    /// <summary>Checks an error of the form <c>{"error": "…"}</c>.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="status">Its status.</param>
    /// <param name="words">A part of its text.</param>
    public static async Task AssertErrorAsync(this HttpResponseMessage response, int status, string words)
    {
        var error = await response.ReadJsonAsync(status);
        Assert.Equal(["error"], error.EnumerateObject().Select(member => member.Name));
        Assert.Contains(words, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
