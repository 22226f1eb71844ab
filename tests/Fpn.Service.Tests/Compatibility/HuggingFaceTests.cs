using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>The requests of Hugging Face's Python client, and its JavaScript client itself.</summary>
[Collection(ContractServices.Collection)]
public sealed class HuggingFaceTests(ContractServices services)
{
    private const string Address = "hf/blood-cells";

    private static readonly string Clients = Path.Combine(Checkout.Root, "tests", "Clients");

    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The Python client guesses the type from the file's name, or sends none.</summary>
    [Theory]
    [InlineData("image/jpeg")]
    [InlineData(null)]
    public async Task Detection_Picture_FindsWhatDetectFinds(string? contentType)
    {
        using var content = new ByteArrayContent(ContractServices.Sample);
        if (contentType is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        using var response = await services.Open.Client.PostAsync(Address, content, Cancel);
        AssertObjects(await services.DetectAsync(), await response.ReadJsonAsync());
    }

    [Theory]
    [InlineData("""{"inputs": "$", "parameters": {"threshold": 0.9}}""", "scoreThreshold=0.9")]
    [InlineData("""{"parameters": {"threshold": 0.9}, "inputs": "data:image/jpeg;base64,$"}""", "scoreThreshold=0.9")]
    [InlineData("""{"inputs": "$", "parameters": {"threshold": null}}""", "")]
    [InlineData("""{"inputs": "$", "parameters": null, "options": {"wait_for_model": true}}""", "")]
    public async Task Detection_Json_FindsWhatDetectFinds(string body, string query)
    {
        using var response = await services.Open.Client.PostJsonAsync(
            Address, body.Replace("$", Image, StringComparison.Ordinal));
        AssertObjects(await services.DetectAsync(query), await response.ReadJsonAsync());
    }

    [Theory]
    [InlineData("""{"inputs": "no base64!"}""", 400, "inputs: Is not base64")]
    [InlineData("""{"inputs": ""}""", 400, "inputs: Is empty.")]
    [InlineData("""{"inputs": ["AAAA"]}""", 400, "inputs: Must be a string")]
    [InlineData("""{"parameters": {"threshold": 0.5}}""", 400, "inputs: Is missing")]
    [InlineData("""{"inputs": "AAAA", "parameters": {"threshold": 7}}""", 400, "'7' is not a number from 0 to 1")]
    [InlineData("""{"inputs": "AAAA", "parameters": {"threshold": "0.5"}}""", 400, "threshold")]
    [InlineData("""{"inputs": "AAAA", "parameters": [0.5]}""", 400, "parameters: Must be an object.")]
    [InlineData("""{"inputs": "bm90IGFuIGltYWdl"}""", 415, "inputs")]
    [InlineData("""["inputs"]""", 400, "JSON object")]
    [InlineData("", 400, "not valid JSON")]
    public async Task Detection_WrongJson_IsRefusedWithItsReason(string body, int status, string words)
    {
        using var response = await services.Open.Client.PostJsonAsync(Address, body);
        await response.AssertErrorAsync(status, words);
    }

    [Fact]
    public async Task Detection_HundredThousandImages_AreRefused()
    {
        var images = string.Join(',', Enumerable.Repeat("\"AAAA\"", 100_000));
        using var response = await services.Open.Client.PostJsonAsync(Address, $$"""{"inputs": [{{images}}]}""");
        await response.AssertErrorAsync(400, "inputs: Must be a string");
    }

    [Fact]
    public async Task Detection_DeepJson_IsRefused()
    {
        var body = $$"""{"options": {{new string('[', 100_000)}}{{new string(']', 100_000)}}, "inputs": "AAAA"}""";
        using var response = await services.Open.Client.PostJsonAsync(Address, body);
        await response.AssertErrorAsync(400, "not valid JSON");
    }

    [Theory]
    [InlineData(Address, "not an image", 415, "is not a JPEG")]
    [InlineData(Address, "", 400, "empty")]
    [InlineData("hf/pets", "x", 404, "blood-cells")]
    public async Task Detection_WrongPictureOrModel_IsRefused(string path, string body, int status, string words)
    {
        using var response = await services.Open.Client.PostJsonAsync(path, body, "image/jpeg");
        await response.AssertErrorAsync(status, words);
    }

    [Theory]
    [InlineData(null, 401, "X-Api-Key")]
    [InlineData("wrong-key", 401, "not valid")]
    [InlineData(KeyFile.Alice, 200, null)]
    public async Task Keys_AsBearer_AreAskedFor(string? key, int status, string? words)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, Address);
        request.Content = new ByteArrayContent(ContractServices.Sample);
        request.Headers.Authorization = key is null ? null : new("Bearer", key);
        using var response = await services.Guarded.Client.SendAsync(request, Cancel);
        if (words is null)
        {
            AssertObjects(await services.DetectAsync(), await response.ReadJsonAsync(status));
        }
        else
        {
            await response.AssertErrorAsync(status, words);
        }
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task JavaScriptClient_WithAKey_GetsWhatDetectFinds()
    {
        var answer = await RunClientAsync(KeyFile.Alice);
        AssertObjects(await services.DetectAsync(), answer.GetProperty("found"));
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task JavaScriptClient_WithAWrongKey_ShowsTheReason()
    {
        var answer = await RunClientAsync("wrong-key");
        Assert.Equal(401, answer.GetProperty("status").GetInt32());
        Assert.Contains("not valid here", answer.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    private async Task<JsonElement> RunClientAsync(string key)
    {
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(Clients, "node_modules")),
            "tests/Clients/node_modules is absent: test.sh installs it.");
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Clients,
            "node",
            "huggingface.js",
            new Uri(services.Guarded.Address, Address).ToString(),
            key,
            Checkout.SampleImage);
        Assert.True(exitCode == 0, output + errors);
        return JsonSerializer.Deserialize<JsonElement>(output);
    }

    private static void AssertObjects(FoundObject[] expected, JsonElement answer)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(
            expected.Select(found => (found.Label, found.Score)),
            answer.EnumerateArray().Select(item =>
                (item.GetProperty("label").GetString()!, item.GetProperty("score").GetDouble())));
        foreach (var (found, item) in expected.Zip(answer.EnumerateArray()))
        {
            var sides = item.GetProperty("box");
            double[] box =
            [
                sides.GetProperty("xmin").GetInt32(), sides.GetProperty("ymin").GetInt32(),
                sides.GetProperty("xmax").GetInt32(), sides.GetProperty("ymax").GetInt32(),
            ];
            Assert.All(found.Box.Zip(box), pair => Assert.Equal(pair.First, pair.Second, 0.501));
        }
    }
}
