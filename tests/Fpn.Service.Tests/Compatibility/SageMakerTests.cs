using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>Amazon SageMaker's contract with containers, and the path that AWS' SDKs ask.</summary>
[Trait("Speed", "slow")]
[Collection(ContractServices.Collection)]
public sealed class SageMakerTests(ContractServices services)
{
    private const string Attributes = "X-Amzn-SageMaker-Custom-Attributes";
    private const string BinaryType = "application/vnd.sagemaker-triton.binary+json;json-header-size=";

    private static readonly string Checks = Path.Combine(Checkout.Root, "tests", "SageMaker");

    private static readonly byte[] Json = Encoding.UTF8.GetBytes(
        $$"""
        {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1],
        "data": ["{{ContractCalls.Base64(ContractServices.Sample)}}"]}]}
        """);

    private HttpClient Client => services.Open.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ping_ServiceIsReady_IsAnEmpty200WithoutAKey()
    {
        foreach (var service in (RunningService[])[services.Open, services.Guarded])
        {
            using var response = await service.Client.GetAsync("ping", Cancel);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));

            // The same connection: what the log says of the first request precedes what it says of the second.
            using var missing = await service.Client.GetAsync("pong", Cancel);
            await service.Log.WaitForAsync(0, line => line.Contains(" /pong ", StringComparison.Ordinal), Cancel);
            Assert.DoesNotContain(service.Log.All, line => line.Contains(" /ping ", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("application/x-image")]
    [InlineData("application/octet-stream")]
    [InlineData(null)]
    public async Task Invocations_Image_IsAnsweredAsByDetect(string? type)
    {
        using var response = await InvokeAsync(Client, ContractServices.Sample, type);
        await AssertDetectionsAsync(response);
    }

    [Fact]
    public async Task Invocations_Form_IsAnsweredAsByDetect()
    {
        using var image = new ByteArrayContent(ContractServices.Sample);
        using var form = new MultipartFormDataContent { { image, "image", "a.jpg" } };
        using var response = await Client.PostAsync("invocations", form, Cancel);
        await AssertDetectionsAsync(response);
    }

    [Theory]
    [InlineData("scoreThreshold=0.9&maxDetections=2", "scoreThreshold=0.9&maxDetections=2")]
    [InlineData("model=blood-cells&labels=RBC,WBC", "labels=RBC,WBC")]
    [InlineData("c000b4f9-df62-4c85-a0bf-7c525f9104a4", "")]
    public async Task Invocations_CustomAttributes_AreTheQueryOfDetect(string attributes, string query)
    {
        using var response = await InvokeAsync(Client, ContractServices.Sample, "image/jpeg", attributes);
        await AssertDetectionsAsync(response, query);
    }

    [Fact]
    public async Task Invocations_AskedForCoco_AnswerCoco()
    {
        using var response = await InvokeAsync(Client, ContractServices.Sample, "image/jpeg", "format=coco&imageId=7");
        Assert.Equal(7, (await response.ReadJsonAsync())[0].GetProperty("image_id").GetInt32());
    }

    [Theory]
    [InlineData("application/json", null)]
    [InlineData("application/json; charset=utf-8", "model=blood-cells")]
    public async Task Invocations_Json_IsAnsweredAsByTheOpenInferenceProtocol(string type, string? attributes)
    {
        using var expected = await PostAsync(Client, "v2/models/blood-cells/infer", Json, "application/json");
        using var response = await InvokeAsync(Client, Json, type, attributes);
        Assert.Equal(
            (await expected.ReadJsonAsync()).GetRawText(), (await response.ReadJsonAsync()).GetRawText());
    }

    /// <summary>Triton's clients write the length of the JSON into the content type, and look for it there.</summary>
    [Fact]
    public async Task Invocations_BinaryTensors_AreReadAndAnsweredInTritonsForm()
    {
        var json = Encoding.UTF8.GetBytes(
            $$"""
            {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [1],
            "parameters": {"binary_data_size": {{ContractServices.Sample.Length + 4}} } }],
            "outputs": [{"name": "scores", "parameters": {"binary_data": true} }]}
            """);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, ContractServices.Sample.Length);
        using var response = await InvokeAsync(
            Client, [.. json, .. length, .. ContractServices.Sample], BinaryType + json.Length);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var type = response.Content.Headers.NonValidated["Content-Type"].ToString();
        Assert.StartsWith(BinaryType, type, StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Inference-Header-Content-Length"));
        var body = await response.Content.ReadAsByteArrayAsync(Cancel);
        var binary = body[int.Parse(type[BinaryType.Length..], CultureInfo.InvariantCulture)..];
        var scores = Enumerable.Range(0, binary.Length / 4)
            .Select(index => (double)BinaryPrimitives.ReadSingleLittleEndian(binary.AsSpan(4 * index)));
        Assert.Equal(
            (await services.DetectAsync()).Select(found => found.Score), scores.Select(score => Math.Round(score, 5)));
    }

    [Theory]
    [InlineData("application/json", "model=pets", 404, "blood-cells")]
    [InlineData("application/json", "scoreThreshold=0.5", 400, "scoreThreshold: With JSON")]
    [InlineData("application/json", "model=blood-cells&model=b", 400, "model")]
    [InlineData("image/jpeg", "model=pets", 404, "blood-cells")]
    [InlineData("image/jpeg", "tenant=7", 400, "'tenant' is unknown")]
    [InlineData("image/jpeg", "scoreThreshold=7", 400, "scoreThreshold")]
    public async Task Invocations_WrongAttributes_AreRefusedWithTheirReason(
        string type, string attributes, int status, string words)
    {
        var body = type == "image/jpeg" ? ContractServices.Sample : Json;
        using var response = await InvokeAsync(Client, body, type, attributes);
        await AssertErrorAsync(response, status, words);
    }

    [Theory]
    [InlineData("image/jpeg", "", 400, "empty")]
    [InlineData("image/jpeg", "not an image", 415, "The content is not a JPEG")]
    [InlineData("application/json", "", 400, "JSON")]
    [InlineData("application/json", "{\"instances\": []}", 400, "inputs")]
    [InlineData("application/json", "{\"inputs\": [{\"name\": \"image\", \"datatype\": \"BYTES\", \"shape\": [1], "
        + "\"data\": [\"no base64!\"]}]}", 400, "base64")]
    [InlineData(BinaryType + "9999", "{}", 400, "9999")]
    [InlineData("application/vnd.sagemaker-triton.binary+json", "{}", 400, "whole number")]
    public async Task Invocations_WrongBody_IsRefusedWithItsReason(string type, string body, int status, string words)
    {
        using var response = await InvokeAsync(Client, Encoding.UTF8.GetBytes(body), type);
        await AssertErrorAsync(response, status, words);
    }

    [Fact]
    public async Task Invocations_DeepJson_IsRefused()
    {
        var body = $$"""{"x": {{new string('[', 100_000)}}{{new string(']', 100_000)}} }""";
        using var response = await InvokeAsync(Client, Encoding.UTF8.GetBytes(body), "application/json");
        await AssertErrorAsync(response, 400, "JSON");
    }

    [Fact]
    public async Task Invocations_ServiceWithKeys_AsksForOne()
    {
        var client = services.Guarded.Client;
        using var without = await InvokeAsync(client, ContractServices.Sample, "image/jpeg");
        await AssertErrorAsync(without, 401, "X-Api-Key");
        foreach (var (key, status) in ((string, int)[])[("wrong-0123456789abcdef", 401), (KeyFile.Alice, 200)])
        {
            using var request = Request("endpoints/cells/invocations", ContractServices.Sample, "image/jpeg", null);
            request.Headers.Add("X-Api-Key", key);
            using var response = await client.SendAsync(request, Cancel);
            Assert.Equal(status, (int)response.StatusCode);
        }
    }

    /// <summary>The AWS SDK for JavaScript, with no more than its endpoint set.</summary>
    [Fact]
    public async Task AwsSdk_InvokeEndpoint_ReadsAnswersAndFailures()
    {
        Assert.SkipUnless(
            Directory.Exists(Path.Combine(Checks, "node_modules")),
            "tests/SageMaker/node_modules is absent: test.sh installs it.");
        var (exitCode, output, errors) = await ProgramRun.RunAsync(
            Checks, "node", "invoke.mjs", services.Open.Address.ToString(), Checkout.SampleImage);
        Assert.True(exitCode == 0, errors);
        JsonElement[] answers =
        [
            .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];
        Assert.Equal([200, 200, 200, 422], answers.Select(answer => answer.GetProperty("status").GetInt32()));
        foreach (var (answer, query) in answers.Zip((string[])["", "scoreThreshold=0.9"]))
        {
            Assert.Equal("application/json; charset=utf-8", answer.GetProperty("type").GetString());
            var expected = await Client.DetectAsync(ContractServices.Sample, query);
            Assert.Equal(expected.Detections(), answer.GetProperty("body").Detections());
        }

        Assert.Equal("blood-cells", answers[2].GetProperty("body").GetProperty("model_name").GetString());
    }

    private async Task AssertDetectionsAsync(HttpResponseMessage response, string query = "")
    {
        var expected = await Client.DetectAsync(ContractServices.Sample, query);
        Assert.NotEmpty(expected.Detections());
        Assert.Equal(expected.Detections(), (await response.ReadJsonAsync()).Detections());
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, int status, string words)
    {
        var error = await response.ReadJsonAsync(status);
        Assert.Equal(["error"], error.EnumerateObject().Select(member => member.Name));
        Assert.Contains(words, error.GetProperty("error").GetString(), StringComparison.OrdinalIgnoreCase);
    }

    private static Task<HttpResponseMessage> InvokeAsync(
        HttpClient client, byte[] body, string? type, string? attributes = null) =>
        PostAsync(client, "invocations", body, type, attributes);

    private static async Task<HttpResponseMessage> PostAsync(
        HttpClient client, string path, byte[] body, string? type, string? attributes = null)
    {
        using var request = Request(path, body, type, attributes);
        return await client.SendAsync(request, Cancel);
    }

    private static HttpRequestMessage Request(string path, byte[] body, string? type, string? attributes)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        if (type is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        if (attributes is not null)
        {
            request.Headers.Add(Attributes, attributes);
        }

        return request;
    }
}
