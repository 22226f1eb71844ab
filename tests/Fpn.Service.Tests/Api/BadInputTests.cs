using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Fpn.Service.Imaging;
using Fpn.Service.Tests.Running;

namespace Fpn.Service.Tests.Api;

/// <summary>Input that is wrong gets the promised status and a problem body, and costs nothing afterwards.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class BadInputTests(ServiceFixture fixture)
{
    private static readonly byte[] Jpeg = File.ReadAllBytes(Repository.SampleImage);

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
        await PostAsync(Encoding.ASCII.GetBytes(text), "image/jpeg"), HttpStatusCode.UnsupportedMediaType, "unsupported-image-format");

    [Fact]
    public async Task Detect_PngWithBadChecksum_Is422()
    {
        var png = OnePixelPng();
        png[^14] ^= 1; // inside the checksum of IDAT
        await ProblemBody.AssertAsync(await PostAsync(png), HttpStatusCode.UnprocessableEntity, "undecodable-image");
    }

    [Fact]
    public async Task Detect_HeaderOfEnormousPng_Is413WithoutDecoding()
    {
        var body = await ProblemBody.AssertAsync(
            await PostAsync(PngHeader(50_000, 50_000)), HttpStatusCode.RequestEntityTooLarge, "too-many-pixels");
        Assert.Contains("50000", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_BodyOf100Megabytes_Is413()
    {
        using var content = new ByteArrayContent(new byte[100_000_000]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect") { Content = content };
        await ProblemBody.AssertAsync(await Client.SendAsync(request, Cancel), HttpStatusCode.RequestEntityTooLarge, "image-too-large");
    }

    [Fact]
    public async Task Detect_ChunkedBodyOverTheLimit_Is413()
    {
        using var content = new StreamContent(new MemoryStream(new byte[(20 << 20) + 1]));
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect") { Content = content };
        request.Headers.TransferEncodingChunked = true;
        await ProblemBody.AssertAsync(await Client.SendAsync(request, Cancel), HttpStatusCode.RequestEntityTooLarge, "image-too-large");
    }

    [Fact]
    public async Task Detect_FormWithoutThePart_Is400()
    {
        using var empty = new MultipartFormDataContent();
        await ProblemBody.AssertAsync(await Client.PostAsync("detect", empty, Cancel), HttpStatusCode.BadRequest, "no-image");
    }

    [Fact]
    public async Task Detect_FormWithAnotherPart_Is400ThatNamesIt()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Jpeg), "picture", "a.jpg" } };
        var body = await ProblemBody.AssertAsync(await Client.PostAsync("detect", form, Cancel), HttpStatusCode.BadRequest, "bad-parameter");
        Assert.Equal("picture", body.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Detect_FormWithTwoImages_Is400()
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(Jpeg), "image", "a.jpg" },
            { new ByteArrayContent(Jpeg), "image", "b.jpg" },
        };
        await ProblemBody.AssertAsync(await Client.PostAsync("detect", form, Cancel), HttpStatusCode.BadRequest, "too-many-images");
    }

    [Theory]
    [InlineData("multipart/form-data; boundary=xyz", "--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc")]
    [InlineData("multipart/form-data; boundary=xyz", "no boundary anywhere")]
    [InlineData("multipart/form-data", "--xyz--")]
    public async Task Detect_BrokenForm_Is400(string contentType, string body)
    {
        using var content = new ByteArrayContent(Encoding.ASCII.GetBytes(body));
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        await ProblemBody.AssertAsync(await Client.PostAsync("detect", content, Cancel), HttpStatusCode.BadRequest, "broken-multipart");
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
    [InlineData("maxDetections=99999999999", "maxDetections")]
    [InlineData("labels=RBC,Unicorn", "labels")]
    [InlineData("labels=", "labels")]
    [InlineData("format=bmp", "format")]
    [InlineData("threshold=0.5", "threshold")]
    public async Task Detect_BadParameter_Is400ThatNamesIt(string query, string parameter)
    {
        var body = await ProblemBody.AssertAsync(await PostAsync(Jpeg, query: query), HttpStatusCode.BadRequest, "bad-parameter");
        Assert.Equal(parameter, body.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Detect_UnknownLabel_ListsTheKnownOnes()
    {
        var body = await ProblemBody.AssertAsync(await PostAsync(Jpeg, query: "labels=Unicorn"), HttpStatusCode.BadRequest, "bad-parameter");
        Assert.Contains("RBC, WBC, Platelets", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_UnknownModel_Is404ThatListsTheKnownOnes()
    {
        var body = await ProblemBody.AssertAsync(await PostAsync(Jpeg, query: "model=../../etc"), HttpStatusCode.NotFound, "unknown-model");
        Assert.Contains("blood-cells", body.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_AcceptsOnlyHtml_Is406()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect") { Content = new ByteArrayContent(Jpeg) };
        request.Headers.Accept.ParseAdd("text/html");
        await ProblemBody.AssertAsync(await Client.SendAsync(request, Cancel), HttpStatusCode.NotAcceptable, "not-acceptable");
    }

    [Fact]
    public async Task Detect_Get_Is405() =>
        await ProblemBody.AssertAsync(await Client.GetAsync("detect", Cancel), HttpStatusCode.MethodNotAllowed, "method-not-allowed");

    [Fact]
    public async Task UnknownPath_Is404() =>
        await ProblemBody.AssertAsync(await Client.GetAsync("detects", Cancel), HttpStatusCode.NotFound, "not-found");

    [Theory]
    [InlineData("baseline-32x32.jpg")]
    [InlineData("progressive-32x32.jpg")]
    public async Task Detect_SmallJpegCutAtEveryByte_Is415Or422(string name)
    {
        var jpeg = File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Fpn.Service.Tests", "Api", "Images", name));
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(jpeg)).StatusCode);
        await AssertCutsAsync(jpeg, Enumerable.Range(1, jpeg.Length - 1));
    }

    [Fact]
    public Task Detect_SampleCutAnywhere_Is415Or422() => AssertCutsAsync(
        Jpeg, Enumerable.Range(0, 100).Select(i => 1 + (int)((Jpeg.Length - 2L) * i / 99)));

    [Fact]
    public async Task Detect_AThousandBadRequests_LeaveMemoryWhereItWas()
    {
        var large = new byte[100_000_000];
        await SendBadRequestsAsync(100, large);
        var (managedBefore, nativeBefore) = Settle();
        await SendBadRequestsAsync(1000, large);
        var (managedAfter, nativeAfter) = Settle();

        Assert.Equal(0, NativeImageMemory.PixelBytes);
        Assert.InRange(nativeAfter, 0, nativeBefore + (64 << 10));
        Assert.InRange(managedAfter, 0, managedBefore + (2 << 20));
        using var alive = await PostAsync(Jpeg);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);
        GC.KeepAlive(large);
    }

    /// <summary>A start too short to be told is no served format; from three bytes on it is a JPEG that is cut off.</summary>
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

    /// <summary>Sends every kind of bad request in turn; the large body twice in a hundred, once announced and once in chunks.</summary>
    private async Task SendBadRequestsAsync(int count, byte[] large)
    {
        var random = new Random(7);
        var png = OnePixelPng();
        for (var i = 0; i < count; i++)
        {
            (string Query, HttpContent Content) bad = (i % 10) switch
            {
                0 => (string.Empty, Body(Jpeg[..random.Next(1, Jpeg.Length)])),
                1 => (string.Empty, Body(PngHeader((uint)random.Next(), (uint)random.Next()))),
                2 => (string.Empty, Body(Encoding.ASCII.GetBytes($"not a picture, number {i}"))),
                3 => (string.Empty, Body([.. png[..^16], .. BitConverter.GetBytes(random.Next())])),
                4 => (string.Empty, Body([])),
                5 => (string.Empty, new MultipartFormDataContent { { Body(Jpeg), "picture" } }),
                6 => (string.Empty, new MultipartFormDataContent { { Body(Jpeg), "image" }, { Body(Jpeg), "image" } }),
                7 => ("model=cells", Body(Jpeg)),
                8 => ("scoreThreshold=abc", Body(Jpeg)),
                _ when i % 100 == 9 => (string.Empty, Body(large)),
                _ when i % 100 == 19 => (string.Empty, new StreamContent(new MemoryStream(large, 0, 21 << 20))),
                _ => (string.Empty, Body(png[..^20])),
            };
            using var request = new HttpRequestMessage(HttpMethod.Post, $"detect?{bad.Query}") { Content = bad.Content };
            request.Headers.TransferEncodingChunked = bad.Content is StreamContent;
            using var response = await Client.SendAsync(request, Cancel);
            Assert.InRange((int)response.StatusCode, 400, 499);
        }
    }

    private static ByteArrayContent Body(byte[] bytes) => new ByteArrayContent(bytes);

    private static (long Managed, long Native) Settle()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (GC.GetTotalMemory(forceFullCollection: true), NativeImageMemory.TrackedBytes);
    }

    private Task<HttpResponseMessage> PostAsync(byte[] body, string type = "application/octet-stream", string query = "") =>
        Client.PostDetectAsync(body, query, type);

    private static byte[] PngHeader(uint width, uint height)
    {
        var header = new byte[13];
        BinaryPrimitives.WriteUInt32BigEndian(header, width);
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(4), height);
        (header[8], header[9]) = (8, 2);
        return [0x89, .. "PNG\r\n\x1a\n"u8, .. Chunk("IHDR", header)];
    }

    /// <summary>One red pixel.</summary>
    private static byte[] OnePixelPng() => Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC");

    private static byte[] Chunk(string type, byte[] data)
    {
        byte[] typed = [.. Encoding.ASCII.GetBytes(type), .. data];
        var chunk = new byte[4 + typed.Length + 4];
        BinaryPrimitives.WriteInt32BigEndian(chunk, data.Length);
        typed.CopyTo(chunk, 4);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(4 + typed.Length), Crc32(typed));
        return chunk;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) == 0 ? crc >> 1 : 0xEDB88320 ^ (crc >> 1);
            }
        }

        return ~crc;
    }
}
