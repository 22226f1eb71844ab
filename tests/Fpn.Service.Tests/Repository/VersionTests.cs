using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Service.OpenInferenceGrpc;
using Fpn.Service.Tests.Compatibility;
using Fpn.Service.Tests.OpenInference;
using Fpn.Service.Tests.OpenInferenceGrpc;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Grpc.Core;

namespace Fpn.Service.Tests.Repository;

/// <summary>A model in several versions, as each protocol asks for them.</summary>
public sealed class VersionTests(VersionedService service) : IClassFixture<VersionedService>
{
    private const string Unknown = "The model 'pets' has no version '3'. Loaded: 10, 2, 1.";

    private HttpClient Client => service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static byte[] Sample => MadeImages.Read("smear-480x640.jpg");

    [Fact]
    public async Task Detect_NamesNoVersion_IsAnsweredByTheGreatestNumber()
    {
        var answer = await Client.DetectAsync(Sample);
        Assert.Equal("10", answer.GetProperty("modelVersion").GetString());
        Assert.NotEmpty(answer.Detections());
        Assert.All(
            answer.GetProperty("detections").EnumerateArray(),
            found => Assert.True(found.GetProperty("score").GetDouble() > 0.8999));
        var models = await Client.GetJsonAsync("models");
        var model = Assert.Single(models.GetProperty("models").EnumerateArray());
        Assert.Equal("10", model.GetProperty("version").GetString());
    }

    /// <summary>All at once; each answers by its own threshold.</summary>
    [Fact]
    public async Task Infer_EachVersionSideBySide_AnswersForItself()
    {
        var best = await ScoresAsync("/versions/1");
        Assert.Contains(best, score => score is > 0.05f and <= 0.5f);
        Assert.Contains(best, score => score is > 0.5f and <= 0.9f);
        (string Path, float Least)[] cases =
            [("/versions/1", 0.05f), ("/versions/2", 0.5f), ("/versions/10", 0.9f), ("", 0.9f)];
        var answers = await Task.WhenAll(
            Enumerable.Repeat(cases, 4).SelectMany(each => each).Select(async each =>
                (each.Least, Scores: await ScoresAsync(each.Path))));
        Assert.All(
            answers,
            answer => Assert.Equal(best.Where(score => score > answer.Least), answer.Scores));
    }

    [Theory]
    [InlineData("", "10", "1", "2", "10")]
    [InlineData("/versions/2", "2", "2")]
    public async Task Metadata_Model_ListsItsVersions(string path, string answering, params string[] versions)
    {
        var model = await Client.GetJsonAsync($"v2/models/pets{path}");
        Assert.Equal(versions, model.GetProperty("versions").EnumerateArray().Select(version => version.GetString()));
        Assert.True((await Client.GetJsonAsync($"v2/models/pets{path}/ready")).GetProperty("ready").GetBoolean());
        using var response = await InferAsync(path);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal(answering, answer.GetProperty("model_version").GetString());
    }

    [Theory]
    [InlineData("v2/models/pets/versions/3")]
    [InlineData("v2/models/pets/versions/3/ready")]
    [InlineData("v1/models/pets/versions/3")]
    public async Task Get_UnknownVersion_Is404InTheFormOfTheProtocol(string path)
    {
        using var response = await Client.GetAsync(path, Cancel);
        await AssertUnknownAsync(response);
    }

    [Fact]
    public async Task Post_UnknownVersion_Is404InTheFormOfTheProtocol()
    {
        using var infer = await InferAsync("/versions/3");
        await AssertUnknownAsync(infer);
        using var predict = await PredictAsync("/versions/3");
        await AssertUnknownAsync(predict);
    }

    /// <summary>Numbers are compared as they are written: there is one name for each version.</summary>
    [Theory]
    [InlineData("01")]
    [InlineData("2.0")]
    [InlineData("-1")]
    [InlineData("latest")]
    public async Task Get_OtherSpellingOfAVersion_Is404(string version)
    {
        using var response = await Client.GetAsync($"v2/models/pets/versions/{version}", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Grpc_Versions_AreThoseOfHttp()
    {
        var calls = service.Calls;
        var metadata = await calls.Call<ModelMetadataRequest, ModelMetadataResponse>(
            "ModelMetadata", new ModelMetadataRequest { Name = "pets" });
        Assert.Equal(["1", "2", "10"], metadata.Versions);
        metadata = await calls.Call<ModelMetadataRequest, ModelMetadataResponse>(
            "ModelMetadata", new ModelMetadataRequest { Name = "pets", Version = "2" });
        Assert.Equal(["2"], metadata.Versions);
        foreach (var (version, isReady) in ((string, bool)[])[("", true), ("1", true), ("3", false)])
        {
            var ready = await calls.Call<ModelReadyRequest, ModelReadyResponse>(
                "ModelReady", new ModelReadyRequest { Name = "pets", Version = version });
            Assert.Equal(isReady, ready.Ready);
        }

        foreach (var (asked, answering) in ((string, string)[])[("", "10"), ("1", "1"), ("2", "2")])
        {
            var request = GrpcCalls.Request("pets", Sample);
            request.ModelVersion = asked;
            var answer = await calls.Infer(request);
            Assert.Equal(answering, answer.ModelVersion);
            Assert.Equal(await ScoresAsync($"/versions/{answering}"), GrpcCalls.Raw<float>(answer, "scores"));
        }
    }

    [Fact]
    public async Task Grpc_UnknownVersion_IsNotFound()
    {
        var request = GrpcCalls.Request("pets", Sample);
        request.ModelVersion = "3";
        var failure = await GrpcCalls.FailAsync(
            service.Calls.Infer(request), StatusCode.NotFound, "unknown-version");
        Assert.Equal(Unknown, failure.Status.Detail);
    }

    [Fact]
    public async Task KServe_Versions_AreListedAndPredict()
    {
        var model = await Client.GetJsonAsync("v1/models/pets");
        Assert.Equal(["10", "2", "1"], Versions(model));
        Assert.Equal(["2"], Versions(await Client.GetJsonAsync("v1/models/pets/versions/2")));
        foreach (var version in (string[])["1", "2", "10"])
        {
            using var response = await PredictAsync($"/versions/{version}");
            var prediction = (await response.ReadJsonAsync()).GetProperty("predictions")[0];
            var scores = await ScoresAsync($"/versions/{version}");
            Assert.Equal(scores.Length, prediction.GetProperty("num_detections").GetInt32());
        }

        var models = await Client.GetJsonAsync("v1/models");
        Assert.Equal("pets", Assert.Single(models.GetProperty("models").EnumerateArray()).GetString());

        static IEnumerable<string?> Versions(JsonElement model) => model.GetProperty("model_version_status")
            .EnumerateArray().Select(status => status.GetProperty("version").GetString());
    }

    [Theory]
    [InlineData("pets/2", 0.5f)]
    [InlineData("pets", 0.9f)]
    public async Task Roboflow_IdWithAVersion_IsAnsweredByIt(string id, float threshold)
    {
        using var response = await Client.PostJsonAsync("infer/object_detection", RoboflowBody(id));
        var predictions = (await response.ReadJsonAsync()).GetProperty("predictions").EnumerateArray();
        Assert.Equal((await ScoresAsync("/versions/1")).Count(score => score > threshold), predictions.Count());
        using var unknown = await Client.PostJsonAsync("infer/object_detection", RoboflowBody("pets/3"));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);

        static string RoboflowBody(string id) =>
            $$"""
            {
              "model_id": "{{id}}", "confidence": 0.1,
              "image": {"type": "base64", "value": "{{ContractCalls.Base64(Sample)}}"}
            }
            """;
    }

    [Fact]
    public async Task Metrics_EachVersion_HasItsOwnSeries()
    {
        await ScoresAsync("/versions/2");
        var metrics = await Client.GetStringAsync("metrics", Cancel);
        Assert.All(
            (string[])["1", "2", "10"],
            version => Assert.Single(metrics.Split('\n'), line =>
                line.StartsWith("fpn_model_ready{", StringComparison.Ordinal)
                && line.Contains($"version=\"{version}\"", StringComparison.Ordinal)));
    }

    private static async Task AssertUnknownAsync(HttpResponseMessage response)
    {
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var error = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal(Unknown, Assert.Single(error.EnumerateObject()).Value.GetString());
        Assert.True(error.TryGetProperty("error", out _));
    }

    private async Task<float[]> ScoresAsync(string path)
    {
        using var response = await InferAsync(path);
        var answer = await response.ReadJsonAsync();
        var scores = answer.GetProperty("outputs").EnumerateArray()
            .Single(output => output.GetProperty("name").ValueEquals("scores"));
        return [.. scores.GetProperty("data").EnumerateArray().Select(score => score.GetSingle())];
    }

    private Task<HttpResponseMessage> InferAsync(string path) =>
        Client.PostJsonAsync($"v2/models/pets{path}/infer", InferCall.Json([Sample]));

    private Task<HttpResponseMessage> PredictAsync(string path) => Client.PostJsonAsync(
        $"v1/models/pets{path}:predict",
        $$"""{"instances": [{"b64": "{{ContractCalls.Base64(Sample)}}"}]}""");
}
