using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>LocalAI's detection, as its documentation shows it.</summary>
[Collection(ContractServices.Collection)]
public sealed class LocalAITests(ContractServices services)
{
    private const string Path = "v1/detection";

    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private HttpClient Client => services.Open.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"model": "blood-cells", "image": "$"}""", "")]
    [InlineData("""{"image": "data:image/jpeg;base64,$", "threshold": 0.95}""", "scoreThreshold=0.95")]
    [InlineData("""{"model": "", "image": "$", "stream": {"deep": [1, 2]}}""", "")]
    public async Task Detect_EachForm_FindsWhatDetectFinds(string body, string query)
    {
        using var response = await Client.PostJsonAsync(Path, body.Replace("$", Image, StringComparison.Ordinal));
        AssertFound(await services.DetectAsync(query), await response.ReadJsonAsync());
    }

    [Theory]
    [InlineData("""{"image": "no base64!"}""", 400, "image")]
    [InlineData("""{"image": 7}""", 400, "Must be an image")]
    [InlineData("""{"image": {"image": "AAAA"}}""", 400, "Must be an image")]
    [InlineData("""{"model": "blood-cells"}""", 400, "Must be an image")]
    [InlineData("""{"image": "bm90IGFuIGltYWdl"}""", 415, "image")]
    [InlineData("""{"image": "AAAA", "threshold": "high"}""", 400, "threshold")]
    [InlineData("""{"image": "AAAA", "model": "pets"}""", 404, "pets")]
    [InlineData("""{"image": "http://images.example.com/a.jpg"}""", 400, "Fpn:Fetch:Hosts")]
    [InlineData("""{"image": "http:\/\/images.example.com\/a.jpg"}""", 400, "Fpn:Fetch:Hosts")]
    [InlineData("""{"image": "http://\ud800/a.jpg"}""", 400, "image")]
    [InlineData("""{"image": """, 400, "not valid JSON")]
    public async Task Detect_WrongBody_IsRefusedInItsForm(string body, int status, string words)
    {
        using var response = await Client.PostJsonAsync(Path, body);
        var error = (await response.ReadJsonAsync(status)).GetProperty("error");
        Assert.Equal(status, error.GetProperty("code").GetInt32());
        Assert.Contains(words, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_ServiceWithKeys_TakesBearer()
    {
        var client = services.Guarded.Client;
        var body = $$"""{"image": "{{Image}}"}""";
        using var without = await client.PostJsonAsync(Path, body);
        Assert.Equal(401, (int)without.StatusCode);
        using var request = new HttpRequestMessage(HttpMethod.Post, Path) { Content = new StringContent(body) };
        request.Headers.Authorization = new("Bearer", KeyFile.Alice);
        using var with = await client.SendAsync(request, Cancel);
        AssertFound(await services.DetectAsync(), await with.ReadJsonAsync());
    }

    /// <summary>Boxes by their upper left corner and size.</summary>
    private static void AssertFound(FoundObject[] expected, JsonElement answer)
    {
        var found = answer.GetProperty("detections").EnumerateArray().ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, found.Length);
        foreach (var (wanted, one) in expected.Zip(found))
        {
            Assert.Equal(wanted.Label, one.GetProperty("class_name").GetString());
            Assert.Equal(wanted.Score, one.GetProperty("confidence").GetDouble());
            Assert.Equal(wanted.Box[0], one.GetProperty("x").GetDouble());
            Assert.Equal(wanted.Box[1], one.GetProperty("y").GetDouble());
            Assert.Equal(wanted.Box[2] - wanted.Box[0], one.GetProperty("width").GetDouble(), 0.0011);
            Assert.Equal(wanted.Box[3] - wanted.Box[1], one.GetProperty("height").GetDouble(), 0.0011);
        }
    }
}
