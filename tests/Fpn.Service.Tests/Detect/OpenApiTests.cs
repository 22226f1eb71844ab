using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>The OpenAPI document and its UI say what the service does.</summary>
[Collection(ShippedServiceFixture.Collection)]
public sealed class OpenApiTests(ShippedServiceFixture fixture)
{
    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Document_Detect_TakesAFormAndRawImages()
    {
        var body = (await DetectOperationAsync()).GetProperty("requestBody");

        Assert.True(body.GetProperty("required").GetBoolean());
        var content = body.GetProperty("content");
        var form = content.GetProperty("multipart/form-data").GetProperty("schema");
        Assert.Equal("object", form.GetProperty("type").GetString());
        var image = form.GetProperty("properties").GetProperty("image");
        Assert.Equal(
            ("string", "binary"), (image.GetProperty("type").GetString(), image.GetProperty("format").GetString()));
        Assert.Equal(["image"], form.GetProperty("required").EnumerateArray().Select(name => name.GetString()!));
        foreach (var type in new[] { "jpeg", "png", "webp", "gif", "tiff", "avif" })
        {
            Assert.Equal(
                "binary", content.GetProperty($"image/{type}").GetProperty("schema").GetProperty("format").GetString());
        }
    }

    [Fact]
    public async Task Document_Detect_HasEveryParameter()
    {
        var parameters = (await DetectOperationAsync()).GetProperty("parameters").EnumerateArray().ToArray();
        Assert.Equal(
            [
                "model",
                "scoreThreshold",
                "maxDetections",
                "labels",
                "label",
                "format",
                "imageId",
                "explain",
                "slice",
                "overlap",
                "wholeImage",
                "scales",
                "flip",
                "merge",
                "mergeThreshold",
                "X-Priority",
                "X-Request-Timeout-Ms",
            ],
            parameters.Select(parameter => parameter.GetProperty("name").GetString()!));
        Assert.All(parameters, parameter =>
        {
            var isHeader = parameter.GetProperty("name").GetString()!.StartsWith("X-", StringComparison.Ordinal);
            Assert.Equal(isHeader ? "header" : "query", parameter.GetProperty("in").GetString());
            Assert.NotEmpty(parameter.GetProperty("description").GetString()!);
            Assert.False(parameter.TryGetProperty("required", out var required) && required.GetBoolean());
        });
    }

    [Theory]
    [InlineData("400", "no-image", "too-many-images", "bad-parameter", "broken-multipart")]
    [InlineData("404", "unknown-model")]
    [InlineData("406", "not-acceptable")]
    [InlineData("408", "body-too-slow")]
    [InlineData("413", "too-many-views", "image-too-large", "too-many-pixels")]
    [InlineData("415", "unsupported-image-format")]
    [InlineData("422", "undecodable-image")]
    [InlineData("500", "model-output-not-finite", "model-failure", "internal-error")]
    public async Task Document_Detect_HasAnExampleOfEachProblem(string status, params string[] types)
    {
        var response = (await DetectOperationAsync()).GetProperty("responses").GetProperty(status);
        Assert.NotEmpty(response.GetProperty("description").GetString()!);
        var examples = response.GetProperty("content").GetProperty("application/problem+json").GetProperty("examples");
        Assert.Equal(types, examples.EnumerateObject().Select(example => example.Name));
        Assert.All(examples.EnumerateObject(), example =>
        {
            var problem = example.Value.GetProperty("value");
            Assert.Equal(example.Name, problem.GetProperty("type").GetString());
            Assert.Equal(status, problem.GetProperty("status").GetRawText());
            Assert.All(["title", "detail", "traceId"], name => Assert.NotEmpty(problem.GetProperty(name).GetString()!));
        });
    }

    [Fact]
    public async Task Document_DetectExample_IsTheAnswerForTheSample()
    {
        var success = (await DetectOperationAsync()).GetProperty("responses").GetProperty("200");
        Assert.True(success.GetProperty("headers").TryGetProperty("Server-Timing", out _));
        var example = success.GetProperty("content").GetProperty("application/json").GetProperty("example");
        var live = await Client.DetectAsync(
            await File.ReadAllBytesAsync(Checkout.Astronaut, Cancel), "scoreThreshold=0.7");

        Assert.Equal(Names(live), Names(example));
        foreach (var name in new[] { "model", "modelVersion", "image", "batchSize" })
        {
            Assert.Equal(Compact(live.GetProperty(name)), Compact(example.GetProperty(name)));
        }

        Assert.Equal(Names(live.GetProperty("timings")), Names(example.GetProperty("timings")));
        var (detections, shown) = (live.GetProperty("detections"), example.GetProperty("detections"));
        Assert.Equal(detections.GetArrayLength(), shown.GetArrayLength());
        Assert.NotEqual(0, shown.GetArrayLength());
        foreach (var (actual, expected) in detections.EnumerateArray().Zip(shown.EnumerateArray()))
        {
            Assert.Equal(Names(actual), Names(expected));
            Assert.All(
                ["label", "classId", "level"],
                name => Assert.Equal(Compact(actual.GetProperty(name)), Compact(expected.GetProperty(name))));
            Assert.Equal(expected.GetProperty("score").GetDouble(), actual.GetProperty("score").GetDouble(), 0.001);
            Assert.All(
                ["x1", "y1", "x2", "y2"],
                side => Assert.Equal(
                    expected.GetProperty("box").GetProperty(side).GetDouble(),
                    actual.GetProperty("box").GetProperty(side).GetDouble(),
                    0.1));
        }
    }

    /// <summary>Swagger UI sends every example of a parameter, unless it is cleared.</summary>
    [Theory]
    [InlineData("/detect", "image")]
    [InlineData("/detect/batch", "images")]
    public async Task Document_ExamplesOfAllParametersTogether_FindAllThereIs(string path, string part)
    {
        var operation = (await DocumentAsync()).GetProperty("paths").GetProperty(path).GetProperty("post");
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(await File.ReadAllBytesAsync(Checkout.Astronaut, Cancel)), part, "astronaut.jpg" },
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = form };
        var query = new List<string>();
        foreach (var parameter in operation.GetProperty("parameters").EnumerateArray())
        {
            var name = parameter.GetProperty("name").GetString()!;
            var shown = parameter.GetProperty("example");
            var example = shown.ValueKind == JsonValueKind.String ? shown.GetString()! : shown.GetRawText();
            if (shown.ValueKind == JsonValueKind.Array)
            {
                query.AddRange(
                    shown.EnumerateArray().Select(item => $"{name}={Uri.EscapeDataString(item.GetString()!)}"));
            }
            else if (parameter.GetProperty("in").GetString() == "header")
            {
                request.Headers.Add(name, example);
            }
            else
            {
                query.Add($"{name}={Uri.EscapeDataString(example)}");
            }
        }

        Assert.NotEmpty(query);
        request.RequestUri = new Uri($"{path}?{string.Join('&', query)}", UriKind.Relative);
        using var response = await fixture.Service.Client.SendAsync(request, Cancel);

        var body = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.IsSuccessStatusCode, body);
        Assert.Contains("\"person\"", body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Document_References_AllLead()
    {
        var document = await DocumentAsync();
        Assert.StartsWith("3.1", document.GetProperty("openapi").GetString(), StringComparison.Ordinal);
        var references = References(document).Distinct().ToArray();
        Assert.NotEmpty(references);
        Assert.All(references, reference =>
        {
            var at = document;
            foreach (var step in reference.Split('/').Skip(1))
            {
                Assert.True(at.TryGetProperty(step, out at), $"{reference} leads nowhere");
            }
        });
    }

    [Theory]
    [InlineData("/v2/models/{model}/infer", "model", "Inference-Header-Content-Length")]
    [InlineData("/v2/models/{model}/versions/{version}/infer", "model", "version", "Inference-Header-Content-Length")]
    public async Task Document_Infer_HasBothBodiesItsParametersAndErrorsInTheProtocolsForm(
        string path, params string[] parameters)
    {
        var infer = (await DocumentAsync()).GetProperty("paths").GetProperty(path).GetProperty("post");
        Assert.Equal(
            parameters,
            infer.GetProperty("parameters").EnumerateArray()
                .Select(parameter => parameter.GetProperty("name").GetString()));
        Assert.Equal(
            ["application/json", "application/octet-stream"],
            Names(infer.GetProperty("requestBody").GetProperty("content")));
        var responses = infer.GetProperty("responses");
        Assert.Equal(
            ["application/json", "application/octet-stream"],
            Names(responses.GetProperty("200").GetProperty("content")));
        foreach (var status in (string[])["400", "404", "408", "413", "415", "422", "500", "503", "504"])
        {
            var content = responses.GetProperty(status).GetProperty("content");
            Assert.Equal(["application/json"], Names(content));
            Assert.All(
                content.GetProperty("application/json").GetProperty("examples").EnumerateObject(),
                example => Assert.Equal(["error"], Names(example.Value.GetProperty("value"))));
        }
    }

    [Fact]
    public async Task Document_InferExample_IsAnsweredWithTheTensorsOfItsAnswer()
    {
        var infer =
            (await DocumentAsync()).GetProperty("paths").GetProperty("/v2/models/{model}/infer").GetProperty("post");
        var request = infer.GetProperty("requestBody").GetProperty("content").GetProperty("application/json")
            .GetProperty("example");
        using var response = await Client.PostAsJsonAsync("v2/models/everyday/infer", request, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var live = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        var shown = infer.GetProperty("responses")
            .GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("example");
        Assert.Equal(Names(shown), Names(live));
        var outputs = live.GetProperty("outputs").EnumerateArray();
        foreach (var (actual, expected) in outputs.Zip(shown.GetProperty("outputs").EnumerateArray()))
        {
            Assert.Equal(Names(expected), Names(actual));
            Assert.All(
                ["name", "datatype"],
                name => Assert.Equal(Compact(expected.GetProperty(name)), Compact(actual.GetProperty(name))));
        }
    }

    [Fact]
    public async Task Ui_Index_IsServedWithTheDocument()
    {
        using var index = await Client.GetAsync("swagger/index.html", Cancel);
        Assert.Equal(HttpStatusCode.OK, index.StatusCode);
        Assert.Equal("text/html", index.Content.Headers.ContentType?.MediaType);
        Assert.Contains("id=\"swagger-ui\"", await index.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        using var script = await Client.GetAsync("swagger/index.js", Cancel);
        Assert.Contains("v1/swagger.json", await script.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    private async Task<JsonElement> DocumentAsync() =>
        await Client.GetFromJsonAsync<JsonElement>("swagger/v1/swagger.json", Cancel);

    private async Task<JsonElement> DetectOperationAsync() =>
        (await DocumentAsync()).GetProperty("paths").GetProperty("/detect").GetProperty("post");

    private static string[] Names(JsonElement element) =>
        [.. element.EnumerateObject().Select(property => property.Name)];

    private static string Compact(JsonElement element) => JsonSerializer.Serialize(element);

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(property =>
            property.NameEquals("$ref") && property.Value.ValueKind == JsonValueKind.String
                ? [property.Value.GetString()!] : References(property.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
