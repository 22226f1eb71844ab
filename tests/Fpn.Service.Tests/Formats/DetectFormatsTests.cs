using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Xml.Linq;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Formats;

/// <summary>The formats of <c>/detect</c> over HTTP: chosen as the contract says, and saying the same.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class DetectFormatsTests(ServiceFixture fixture)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("format=json", null, "application/json; charset=utf-8", false)]
    [InlineData("", null, "application/json; charset=utf-8", true)]
    [InlineData("format=coco", null, "application/json; charset=utf-8", true)]
    [InlineData("", "application/vnd.coco+json", "application/vnd.coco+json; charset=utf-8", true)]
    [InlineData("format=voc", "image/png", "application/xml; charset=utf-8", true)]
    [InlineData("", "text/xml", "text/xml; charset=utf-8", true)]
    [InlineData("format=yolo", "application/json", "text/plain; charset=utf-8", false)]
    [InlineData("", "text/plain", "text/plain; charset=utf-8", true)]
    [InlineData("format=image", null, "image/png", true)]
    [InlineData("format=image", "image/jpeg", "image/jpeg", true)]
    [InlineData("", "image/jpeg", "image/jpeg", true)]
    public async Task Detect_FormatOrAccept_DecidesTypeAndVary(
        string query, string? accept, string contentType, bool varies)
    {
        using var response = await PostAsync(query, accept);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(contentType, response.Content.Headers.ContentType?.ToString());
        Assert.Equal(varies ? ["Accept"] : [], response.Headers.Vary);
        Assert.Contains(
            "inference;dur=", string.Join(' ', response.Headers.GetValues("Server-Timing")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("&maxDetections=4")]
    [InlineData("&labels=WBC,Platelets")]
    [InlineData("&scoreThreshold=0.99")]
    [InlineData("&scoreThreshold=1&labels=WBC")]
    public async Task Detect_EachFormat_HasTheDetectionsOfTheJson(string filter)
    {
        var answer = await Client.DetectAsync(Sample, $"format=json{filter}");
        var json = answer.GetProperty("detections").EnumerateArray().ToArray();
        var coco = await JsonAsync($"format=coco&imageId=5{filter}");
        Assert.Equal(json.Length, coco.GetArrayLength());
        foreach (var (detection, line) in json.Zip(coco.EnumerateArray()))
        {
            Assert.Equal(
                ["image_id", "category_id", "bbox", "score"], line.EnumerateObject().Select(property => property.Name));
            Assert.Equal(5, line.GetProperty("image_id").GetInt64());
            Assert.Equal(detection.GetProperty("classId").GetInt32(), line.GetProperty("category_id").GetInt32());
            Assert.Equal(detection.GetProperty("score").GetRawText(), line.GetProperty("score").GetRawText());
        }

        var objects = XElement.Parse(await TextAsync($"format=voc{filter}")).Elements("object");
        Assert.Equal(
            json.Select(detection => detection.GetProperty("label").GetString()),
            objects.Select(element => (string?)element.Element("name")));
        var lines = (await TextAsync($"format=yolo{filter}")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            json.Select(
                detection =>
                    $"{detection.GetProperty("classId").GetInt32() - 1} {detection.GetProperty("score").GetRawText()}"),
            lines.Select(line => $"{line.Split(' ')[0]} {line.Split(' ')[5]}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("1.5")]
    [InlineData("+1")]
    [InlineData("9223372036854775808")]
    [InlineData("seven")]
    public async Task Detect_BadImageId_Is400ThatNamesIt(string id)
    {
        using var response = await Client.PostDetectAsync(Sample, $"imageId={Uri.EscapeDataString(id)}");
        await ProblemBody.AssertBadParameterAsync(response, "imageId");
    }

    [Theory]
    [InlineData("bmp")]
    [InlineData("")]
    [InlineData("JSON")]
    [InlineData("0")]
    public async Task Detect_UnknownFormat_Is400ThatListsThem(string format)
    {
        using var response = await Client.PostDetectAsync(Sample, $"format={format}");
        var problem = await ProblemBody.AssertBadParameterAsync(response, "format");
        var detail = problem.GetProperty("detail").GetString();
        Assert.EndsWith("Known: json, coco, voc, yolo, image.", detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("coco")]
    [InlineData("voc")]
    [InlineData("yolo")]
    [InlineData("image")]
    public async Task Detect_BadImage_IsAProblemWhateverTheFormat(string format)
    {
        using var response = await Client.PostDetectAsync(Sample[..^100], $"format={format}");
        await ProblemBody.AssertAsync(response, HttpStatusCode.UnprocessableEntity, "undecodable-image");
    }

    [Fact]
    public async Task Detect_NothingServedIsAcceptable_Is406()
    {
        using var response = await PostAsync(string.Empty, "text/html, image/webp");
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.NotAcceptable, "not-acceptable");
        Assert.Contains("image/jpeg", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal(["Accept"], response.Headers.Vary);
    }

    [Fact]
    public async Task Detect_JpegOfAPictureThatIsTooWideForIt_Is406AndPngIsServed()
    {
        var wide = MadePng.Black(70_000, 4);
        using var jpeg = await PostAsync(string.Empty, "image/jpeg", wide);
        await ProblemBody.AssertAsync(jpeg, HttpStatusCode.NotAcceptable, "not-acceptable");
        using var png = await PostAsync(string.Empty, "image/png", wide);
        Assert.Equal((HttpStatusCode.OK, "image/png"), (png.StatusCode, png.Content.Headers.ContentType?.MediaType));
    }

    private async Task<HttpResponseMessage> PostAsync(string query, string? accept, byte[]? body = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"detect?{query}");
        request.Content = new ByteArrayContent(body ?? Sample);
        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        return await Client.SendAsync(request, Cancel);
    }

    private async Task<JsonElement> JsonAsync(string query)
    {
        using var response = await Client.PostDetectAsync(Sample, query);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    private async Task<string> TextAsync(string query)
    {
        using var response = await Client.PostDetectAsync(Sample, query);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync(Cancel);
    }
}
