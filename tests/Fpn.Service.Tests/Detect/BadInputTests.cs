using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>Input that is wrong gets the promised status and a problem body, and costs nothing afterwards.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class BadInputTests(ServiceFixture fixture)
{
    private static readonly byte[] Jpeg = File.ReadAllBytes(Checkout.SampleImage);

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_EmptyBody_Is400NoImage() =>
        await ProblemBody.AssertAsync(await PostAsync([]), HttpStatusCode.BadRequest, "no-image");

    [Theory]
    [InlineData("a few words that are not a picture")]
    [InlineData("x")]
    [InlineData("<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>")]
    [InlineData("%PDF-1.7 1 0 obj")]
    public async Task Detect_TextCalledJpeg_Is415(string text) => await ProblemBody.AssertAsync(
        await PostAsync(Encoding.ASCII.GetBytes(text), "image/jpeg"),
        HttpStatusCode.UnsupportedMediaType,
        "unsupported-image-format");

    /// <summary>Who wrapped the image is told what to take off.</summary>
    [Theory]
    [InlineData("gzip", "compressed with gzip")]
    [InlineData("base64", "in base64")]
    [InlineData("data", "data: URL")]
    [InlineData("zip", "ZIP archive")]
    [InlineData("pdf", "PDF document")]
    public async Task Detect_WrappedImage_Is415ThatSaysHow(string wrapping, string words)
    {
        var body = await ProblemBody.AssertAsync(
            await PostAsync(Wrap(wrapping)), HttpStatusCode.UnsupportedMediaType, "unsupported-image-format");
        Assert.Contains(words, body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("detect", "gzip")]
    [InlineData("detect", "br")]
    [InlineData("detect/batch", "gzip")]
    public async Task Detect_ContentEncoding_Is415(string path, string encoding)
    {
        using var content = new ByteArrayContent(Wrap("gzip"));
        content.Headers.ContentEncoding.Add(encoding);
        using var response = await Client.PostAsync(path, content, Cancel);
        var body = await ProblemBody.AssertAsync(response, HttpStatusCode.UnsupportedMediaType, "unsupported-encoding");
        Assert.Contains($"'{encoding}'", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static byte[] Wrap(string wrapping)
    {
        switch (wrapping)
        {
            case "gzip":
                using (var compressed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
                    {
                        gzip.Write(Jpeg);
                    }

                    return compressed.ToArray();
                }

            case "base64":
                return Encoding.ASCII.GetBytes(Convert.ToBase64String(Jpeg));
            case "data":
                return Encoding.ASCII.GetBytes($"data:image/jpeg;base64,{Convert.ToBase64String(Jpeg)}");
            case "zip":
                return [.. "PK\u0003\u0004"u8, .. new byte[100]];
            default:
                return Encoding.ASCII.GetBytes("%PDF-1.7 1 0 obj");
        }
    }

    [Fact]
    public async Task Detect_PngWithBadChecksum_Is422()
    {
        var png = MadePng.OnePixel();
        png[^14] ^= 1; // inside the checksum of IDAT
        await ProblemBody.AssertAsync(await PostAsync(png), HttpStatusCode.UnprocessableEntity, "undecodable-image");
    }

    [Fact]
    public async Task Detect_HeaderOfEnormousPng_Is413WithoutDecoding()
    {
        var body = await ProblemBody.AssertAsync(
            await PostAsync(MadePng.Header(50_000, 50_000)), HttpStatusCode.RequestEntityTooLarge, "too-many-pixels");
        Assert.Contains("50000", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_BodyOf100Megabytes_Is413()
    {
        using var content = new ByteArrayContent(new byte[100_000_000]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect") { Content = content };
        await ProblemBody.AssertAsync(
            await Client.SendAsync(request, Cancel), HttpStatusCode.RequestEntityTooLarge, "image-too-large");
    }

    [Fact]
    public async Task Detect_ChunkedBodyOverTheLimit_Is413()
    {
        using var content = new StreamContent(new MemoryStream(new byte[(20 << 20) + 1]));
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect") { Content = content };
        request.Headers.TransferEncodingChunked = true;
        await ProblemBody.AssertAsync(
            await Client.SendAsync(request, Cancel), HttpStatusCode.RequestEntityTooLarge, "image-too-large");
    }

    [Fact]
    public async Task Detect_FormWithoutThePart_Is400()
    {
        using var empty = new MultipartFormDataContent();
        await ProblemBody.AssertAsync(
            await Client.PostAsync("detect", empty, Cancel), HttpStatusCode.BadRequest, "no-image");
    }

    [Fact]
    public async Task Detect_FormWithAnotherPart_Is400ThatNamesIt()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Jpeg), "picture", "a.jpg" } };
        await ProblemBody.AssertBadParameterAsync(await Client.PostAsync("detect", form, Cancel), "picture");
    }

    [Fact]
    public async Task Detect_FormWithTwoImages_Is400()
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(Jpeg), "image", "a.jpg" },
            { new ByteArrayContent(Jpeg), "image", "b.jpg" },
        };
        await ProblemBody.AssertAsync(
            await Client.PostAsync("detect", form, Cancel), HttpStatusCode.BadRequest, "too-many-images");
    }

    [Theory]
    [InlineData(
        "multipart/form-data; boundary=xyz", "--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc")]
    [InlineData("multipart/form-data; boundary=xyz", "no boundary anywhere")]
    [InlineData("multipart/form-data", "--xyz--")]
    public async Task Detect_BrokenForm_Is400(string contentType, string body)
    {
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        await ProblemBody.AssertAsync(
            await Client.PostAsync("detect", content, Cancel), HttpStatusCode.BadRequest, "broken-multipart");
    }

    [Theory]
    [InlineData("scoreThreshold=abc", "scoreThreshold")]
    [InlineData("scoreThreshold=1.5", "scoreThreshold")]
    [InlineData("scoreThreshold=-0.1", "scoreThreshold")]
    [InlineData("scoreThreshold=NaN", "scoreThreshold")]
    [InlineData("scoreThreshold=", "scoreThreshold")]
    [InlineData("scoreThreshold=0.5&scoreThreshold=0.6", "scoreThreshold")]
    [InlineData("maxDetections=0", "maxDetections")]
    [InlineData("maxDetections=-1", "maxDetections")]
    [InlineData("maxDetections=many", "maxDetections")]
    [InlineData("maxDetections=+5", "maxDetections")]
    [InlineData("labels=RBC,Unicorn", "labels")]
    [InlineData("labels=", "labels")]
    [InlineData("format=bmp", "format")]
    [InlineData("threshold=0.5", "threshold")]
    public async Task Detect_BadParameter_Is400ThatNamesIt(string query, string parameter)
    {
        await ProblemBody.AssertBadParameterAsync(await PostAsync(Jpeg, query: query), parameter);
    }

    [Fact]
    public async Task Detect_UnknownLabel_ListsTheKnownOnes()
    {
        var body = await ProblemBody.AssertAsync(
            await PostAsync(Jpeg, query: "labels=Unicorn"), HttpStatusCode.BadRequest, "bad-parameter");
        Assert.Contains("RBC, WBC, Platelets", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_UnknownModel_Is404ThatListsTheKnownOnes()
    {
        var body = await ProblemBody.AssertAsync(
            await PostAsync(Jpeg, query: "model=../../etc"), HttpStatusCode.NotFound, "unknown-model");
        Assert.Contains("blood-cells", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_AcceptsOnlyHtml_Is406()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect") { Content = new ByteArrayContent(Jpeg) };
        request.Headers.Accept.ParseAdd("text/html");
        await ProblemBody.AssertAsync(
            await Client.SendAsync(request, Cancel), HttpStatusCode.NotAcceptable, "not-acceptable");
    }

    [Fact]
    public async Task Detect_Get_Is405() =>
        await ProblemBody.AssertAsync(
            await Client.GetAsync("detect", Cancel), HttpStatusCode.MethodNotAllowed, "method-not-allowed");

    [Fact]
    public async Task UnknownPath_Is404() =>
        await ProblemBody.AssertAsync(await Client.GetAsync("detects", Cancel), HttpStatusCode.NotFound, "not-found");

    [Theory]
    [InlineData("baseline-32x32.jpg")]
    [InlineData("progressive-32x32.jpg")]
    public async Task Detect_SmallJpegCutAtEveryByte_Is415Or422(string name)
    {
        var jpeg = File.ReadAllBytes(
            Path.Combine(Checkout.Root, "tests", "Fpn.Service.Tests", "Detect", "Images", name));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(jpeg)).StatusCode);
        await AssertCutsAsync(jpeg, Enumerable.Range(1, jpeg.Length - 1));
    }

    [Fact]
    public Task Detect_SampleCutAnywhere_Is415Or422() => AssertCutsAsync(
        Jpeg, Enumerable.Range(0, 100).Select(i => 1 + (int)((Jpeg.Length - 2L) * i / 99)));

    /// <summary>
    /// A start too short to be told is no served format; from three bytes on it is a JPEG that is cut off.
    /// </summary>
    private async Task AssertCutsAsync(byte[] jpeg, IEnumerable<int> cuts)
    {
        var wrong = new List<string>();
        foreach (var cut in cuts)
        {
            using var response = await PostAsync(jpeg[..cut]);
            var expected = cut < 3 ? HttpStatusCode.UnsupportedMediaType : HttpStatusCode.UnprocessableEntity;
            if (response.StatusCode != expected)
            {
                wrong.Add($"{cut} of {jpeg.Length}: {(int)response.StatusCode}");
            }
        }

        Assert.Empty(wrong);
    }

    private Task<HttpResponseMessage> PostAsync(
        byte[] body, string type = "application/octet-stream", string query = "") =>
        Client.PostDetectAsync(body, query, type);
}
