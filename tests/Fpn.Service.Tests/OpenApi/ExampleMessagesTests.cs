using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Fpn.Service.Tests.OpenInference;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenApi;

/// <summary>The document's examples of failures are what the running service says, word for word.</summary>
[Collection(ShippedServiceFixture.Collection)]
public sealed class ExampleMessagesTests(ShippedServiceFixture fixture)
{
    private static readonly byte[] Photograph = File.ReadAllBytes(Checkout.Astronaut);

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("400", "no-image")]
    [InlineData("400", "too-many-images")]
    [InlineData("400", "bad-parameter")]
    [InlineData("400", "broken-multipart")]
    [InlineData("404", "unknown-model")]
    [InlineData("406", "not-acceptable")]
    [InlineData("413", "image-too-large")]
    [InlineData("413", "too-many-pixels")]
    [InlineData("415", "unsupported-image-format")]
    [InlineData("422", "undecodable-image")]
    public async Task Detect_Failure_IsTheExample(string status, string type)
    {
        using var request = RequestFor("detect", type);
        await AssertIsExampleAsync(request, "/detect", status, type);
    }

    [Theory]
    [InlineData("400", "no-image")]
    [InlineData("400", "bad-parameter")]
    [InlineData("400", "broken-multipart")]
    [InlineData("404", "unknown-model")]
    [InlineData("406", "not-acceptable")]
    [InlineData("413", "batch-too-large")]
    public async Task Batch_Failure_IsTheExample(string status, string type)
    {
        using var request = RequestFor("detect/batch", type);
        await AssertIsExampleAsync(request, "/detect/batch", status, type);
    }

    [Theory]
    [InlineData("400", "bad-parameter")]
    [InlineData("400", "bad-request")]
    [InlineData("404", "unknown-version")]
    [InlineData("413", "image-too-large")]
    [InlineData("413", "too-many-pixels")]
    [InlineData("415", "unsupported-image-format")]
    [InlineData("415", "unsupported-encoding")]
    [InlineData("422", "undecodable-image")]
    public async Task Infer_Failure_IsTheExample(string status, string type)
    {
        var path = type == "unknown-version" ? "v2/models/everyday/versions/7/infer" : "v2/models/everyday/infer";
        var body = type switch
        {
            "bad-parameter" => Encoding.UTF8.GetBytes(
                InferCall.Json([Photograph]).Replace("BYTES", "FP32", StringComparison.Ordinal)),
            "bad-request" => [0xFF],
            "unknown-version" or "unsupported-encoding" => "{}"u8.ToArray(),
            _ => Encoding.UTF8.GetBytes(InferCall.Json([ImageFor(type)])),
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (type == "unsupported-encoding")
        {
            request.Content.Headers.ContentEncoding.Add("gzip");
        }

        using var response = await Client.SendAsync(request, Cancel);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        var example = await ExampleAsync("/v2/models/{model}/infer", status, "application/json", type);
        Assert.Equal(status, ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture));
        Assert.Equal(example.GetProperty("error").GetString(), answer.GetProperty("error").GetString());
    }

    private async Task AssertIsExampleAsync(HttpRequestMessage request, string path, string status, string type)
    {
        using var response = await Client.SendAsync(request, Cancel);
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        var example = await ExampleAsync(path, status, "application/problem+json", type);
        Assert.Equal(Without("traceId", example), Without("traceId", answer));

        static string[] Without(string name, JsonElement problem) =>
        [
            .. problem.EnumerateObject()
                .Where(member => member.Name != name)
                .Select(member => $"{member.Name}: {member.Value}")
                .Order(StringComparer.Ordinal),
        ];
    }

    private async Task<JsonElement> ExampleAsync(string path, string status, string mediaType, string type)
    {
        var document = await Client.GetFromJsonAsync<JsonElement>("swagger/v1/swagger.json", Cancel);
        return document.GetProperty("paths").GetProperty(path).GetProperty("post").GetProperty("responses")
            .GetProperty(status).GetProperty("content").GetProperty(mediaType).GetProperty("examples")
            .GetProperty(type).GetProperty("value");
    }

    private static HttpRequestMessage RequestFor(string path, string type)
    {
        var query = type switch
        {
            "bad-parameter" => "?scoreThreshold=abc",
            "unknown-model" => "?model=pets",
            _ => string.Empty,
        };
        var request = new HttpRequestMessage(HttpMethod.Post, path + query)
        {
            Content = type switch
            {
                "too-many-images" => Form("image", 2),
                "broken-multipart" => Form(
                    "--boundary\r\nContent-Disposition: form-data; "
                    + $"name={(path == "detect" ? "image" : "images")}\r\n\r\ncut"),
                "batch-too-large" => Form("images", 65),
                _ when path == "detect/batch" => Form("--boundary--\r\n"),
                _ => new ByteArrayContent(ImageFor(type)),
            },
        };
        if (type == "not-acceptable")
        {
            request.Headers.Accept.ParseAdd("text/html");
        }

        return request;
    }

    private static byte[] ImageFor(string type) => type switch
    {
        "no-image" => [],
        "image-too-large" => new byte[(20 << 20) + 1],
        "too-many-pixels" => MadePng.Header(50_000, 50_000),
        "unsupported-image-format" => "no image"u8.ToArray(),
        "undecodable-image" => Photograph[..^2],
        _ => Photograph,
    };

    private static MultipartFormDataContent Form(string part, int count)
    {
        var form = new MultipartFormDataContent();
        for (var i = 0; i < count; i++)
        {
            form.Add(new ByteArrayContent(MadePng.OnePixel()), part, "picture.png");
        }

        return form;
    }

    private static ByteArrayContent Form(string body)
    {
        var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=boundary");
        return content;
    }
}
