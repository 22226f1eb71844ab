using System.Net;
using System.Text.Json;
using Fpn.Service.Compatibility.Vertex;
using Fpn.Settings;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.Configuration;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>Vertex AI's contract with containers.</summary>
[Collection(ContractServices.Collection)]
public sealed class VertexTests(ContractServices services)
{
    private const string Predict = "predict";

    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private HttpClient Client => services.Open.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Health_ServiceIsReady_IsAnEmpty200WithoutAKey()
    {
        foreach (var service in (RunningService[])[services.Open, services.Guarded])
        {
            using var response = await service.Client.GetAsync("health", Cancel);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
        }
    }

    /// <summary>The first is what Google's clients send to Google's own models.</summary>
    [Theory]
    [InlineData("""{"instances": [{"content": "$", "mimeType": "image/jpeg"}], "parameters": null}""")]
    [InlineData("""{"instances": [{"mimeType": "image/jpeg", "content": "$"}], "parameters": {} }""")]
    [InlineData("""{"instances": [{"b64": "$"}]}""")]
    [InlineData("""{"instances": [{"image_bytes": {"b64": "$"} }]}""")]
    public async Task Predict_EachForm_FindsWhatDetectFinds(string body)
    {
        using var response = await Client.PostJsonAsync(Predict, body.Replace("$", Image, StringComparison.Ordinal));
        var answer = await response.ReadJsonAsync();
        AssertPrediction(
            await services.DetectAsync(), Assert.Single(answer.GetProperty("predictions").EnumerateArray()));
    }

    /// <summary>Google's client asks a path of Google's, which the variable makes the service's.</summary>
    [Fact]
    [Trait("Speed", "slow")]
    public async Task Predict_GooglesClient_GetsWhatDetectFinds()
    {
        var clients = Path.Combine(Checkout.Root, "tests", "Clients");
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(clients, "node_modules", "@google-cloud")),
            "tests/Clients/node_modules is absent or old: test.sh installs it.");
        const string Endpoint = "projects/example/locations/europe-west4/endpoints/7";
        using var process = new ServiceProcess(
            [$"--Fpn:Models:Path={Checkout.BloodCells}", "--Fpn:Batching:MaxBatchSize=1"],
            ("AIP_PREDICT_ROUTE", $"/v1/{Endpoint}:predict"));
        var address = await process.WaitForAddressAsync();
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            clients, "node", "vertex.js", address.ToString(), Endpoint, Checkout.SampleImage, "0.5");
        Assert.True(exitCode == 0, output + errors);
        AssertPrediction(
            await services.DetectAsync("scoreThreshold=0.5"),
            Assert.Single(JsonSerializer.Deserialize<JsonElement>(output).EnumerateArray()));
    }

    [Fact]
    public async Task Predict_TwoInstancesAndParameters_AreAnsweredInOrder()
    {
        var black = ContractCalls.Base64(MadePng.OnePixel());
        using var response = await Client.PostJsonAsync(
            Predict,
            $$"""
            {"parameters": {"confidenceThreshold": 0.9, "maxPredictions": 2},
            "instances": [{"content": "{{black}}"}, {"content": "{{Image}}"}]}
            """);
        var predictions = (await response.ReadJsonAsync()).GetProperty("predictions").EnumerateArray().ToArray();
        Assert.Equal(2, predictions.Length);
        AssertPrediction(await services.DetectAsync("scoreThreshold=0.9&maxDetections=2"), predictions[1]);
    }

    [Theory]
    [InlineData("application/json", """{"instances": []}""", 400, "instances")]
    [InlineData("application/json", """{"instances": [{"content": "no base64!"}]}""", 400, "instances[0]")]
    [InlineData("application/json", """{"instances": [{"mimeType": "image/jpeg"}]}""", 400, "Must be one image")]
    [InlineData("application/json", """{"instances": [{"content": "bm90IGFuIGltYWdl"}]}""", 415, "instances[0]")]
    [InlineData("application/json", """{"instances": [{"content": {"gs": 7}}]}""", 400, "Must be one image")]
    [InlineData(
        "application/json", """{"instances": ["AAAA"], "parameters": {"confidenceThreshold": "a"}}""", 400,
        "confidenceThreshold")]
    [InlineData("application/json", "[", 400, "JSON")]
    [InlineData("image/jpeg", "x", 415, "must be JSON")]
    public async Task Predict_WrongBody_IsRefusedWithItsReason(string type, string body, int status, string words)
    {
        using var response = await Client.PostJsonAsync(Predict, body, type);
        await AssertErrorAsync(response, status, words);
    }

    [Fact]
    public async Task Predict_HundredThousandInstances_AreRefusedByTheirNumber()
    {
        var body = $$"""{"instances": [{{string.Join(',', Enumerable.Repeat("\"AAAA\"", 100_000))}}]}""";
        using var response = await Client.PostJsonAsync(Predict, body);
        await AssertErrorAsync(response, 413, "more than 64 images");
    }

    [Fact]
    public async Task Predict_ServiceWithKeys_AsksForOne()
    {
        var body = $$"""{"instances": [{"content": "{{Image}}"}]}""";
        using var without = await services.Guarded.Client.PostJsonAsync(Predict, body);
        await AssertErrorAsync(without, 401, "X-Api-Key");
        foreach (var (key, status) in ((string, int)[])[("wrong-0123456789abcdef", 401), (KeyFile.Alice, 200)])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, Predict) { Content = new StringContent(body) };
            request.Headers.Authorization = new("Bearer", key);
            using var response = await services.Guarded.Client.SendAsync(request, Cancel);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    [Fact]
    public void Variables_OfVertexAi_SayRoutesPortAndFolder()
    {
        var platform = Read(
            ("AIP_MODE", "PREDICTION"), ("AIP_HTTP_PORT", "8501"), ("AIP_STORAGE_URI", "/models/pets"),
            ("AIP_HEALTH_ROUTE", "/v1/endpoints/12/deployedModels/34"),
            ("AIP_PREDICT_ROUTE", "/v1/endpoints/12/deployedModels/34:predict"));
        Assert.True(platform.IsAskedFor);
        Assert.Equal("/v1/endpoints/12/deployedModels/34", platform.HealthRoute);
        Assert.Equal("/v1/endpoints/12/deployedModels/34:predict", platform.PredictRoute);
        Assert.Equal(
            new Dictionary<string, string?> { ["urls"] = "http://+:8501", ["Fpn:Models:Path"] = "/models/pets" },
            platform.Settings);
    }

    /// <summary>Without an artifact the variable is there, and empty.</summary>
    [Fact]
    public void Variables_OfTheSdksLocalEndpoint_AskForTheContract()
    {
        var platform = Read(("AIP_PREDICT_ROUTE", "/predict"), ("AIP_STORAGE_URI", string.Empty));
        Assert.True(platform.IsAskedFor);
        Assert.Equal("/health", platform.HealthRoute);
        Assert.Empty(platform.Settings);
    }

    [Theory]
    [InlineData("AIP_MODE", "TRAINING")]
    [InlineData("AIP_STORAGE_URI", "gs://bucket/model")]
    public void Variables_OfSomethingElse_ChangeNothing(string name, string value)
    {
        var platform = Read((name, value));
        Assert.False(platform.IsAskedFor);
        Assert.Empty(platform.Settings);
    }

    [Theory]
    [InlineData("AIP_STORAGE_URI", "gs://bucket/model", "without --artifact-uri")]
    [InlineData("AIP_HTTP_PORT", "65536", "a port from 1 to 65535")]
    [InlineData("AIP_HTTP_PORT", "http", "a port from 1 to 65535")]
    [InlineData("AIP_PREDICT_ROUTE", "predict", "must be a path")]
    [InlineData("AIP_PREDICT_ROUTE", "/{model}", "must be a path")]
    [InlineData("AIP_HEALTH_ROUTE", "//health", "must be a path")]
    public void Variables_ThatCannotBeFollowed_AreRefusedInOneLine(string name, string value, string words)
    {
        var refusal = Assert.Throws<SettingsException>(() => Read(("AIP_MODE", "PREDICTION"), (name, value)));
        Assert.Contains($"'{name}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains($"'{value}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refusal.Message);
    }

    private static VertexPlatform Read(params (string Name, string Value)[] variables) =>
        VertexPlatform.Read(new ConfigurationBuilder().AddInMemoryCollection(
            variables.Select(variable => KeyValuePair.Create(variable.Name, (string?)variable.Value))).Build());

    /// <summary>Boxes are parts of the image with six decimals: exact to a thousandth of a pixel here.</summary>
    private static void AssertPrediction(FoundObject[] expected, JsonElement prediction)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(
            ["ids", "displayNames", "confidences", "bboxes"],
            prediction.EnumerateObject().Select(member => member.Name));
        Assert.Equal(expected.Select(found => $"{found.ClassId}"), Texts("ids"));
        Assert.Equal(expected.Select(found => found.Label), Texts("displayNames"));
        Assert.Equal(
            expected.Select(found => found.Score),
            prediction.GetProperty("confidences").EnumerateArray().Select(score => score.GetDouble()));
        var boxes = prediction.GetProperty("bboxes").EnumerateArray().ToArray();
        Assert.Equal(expected.Length, boxes.Length);
        foreach (var (found, box) in expected.Zip(boxes))
        {
            double[] sides = [.. box.EnumerateArray().Select(side => side.GetDouble())];
            double[] pixels =
                [sides[0] * found.Width, sides[2] * found.Height, sides[1] * found.Width, sides[3] * found.Height];
            Assert.All(found.Box.Zip(pixels), pair => Assert.Equal(pair.First, pair.Second, 0.001));
        }

        string?[] Texts(string member) =>
            [.. prediction.GetProperty(member).EnumerateArray().Select(text => text.GetString())];
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, int status, string words)
    {
        var error = await response.ReadJsonAsync(status);
        Assert.Equal(["error"], error.EnumerateObject().Select(member => member.Name));
        Assert.Contains(words, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
