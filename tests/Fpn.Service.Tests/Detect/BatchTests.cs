using System.Net;
using System.Text;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary><c>/detect/batch</c>: the order sent, each image for itself, each as <c>/detect</c> answers it.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class BatchTests(ServiceFixture fixture)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    /// <summary>Sizes that take different times, the slowest first.</summary>
    private static readonly byte[][] Mixed =
    [
        MadeImages.Read("large-900x1200.jpg"),
        MadeImages.Read("pixel-1x1.png"),
        MadeImages.Read("exif6-480x360.jpg"),
        MadeImages.Read("blank-256x256.png"),
        MadeImages.Read("smear-480x640.jpg"),
    ];

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Batch_MixedSizes_AnswersInTheOrderSentAsDetectDoes()
    {
        foreach (var images in (byte[][][])[Mixed, [.. Mixed.Reverse()]])
        {
            var results = await Client.BatchAsync(images, "scoreThreshold=0.1&maxDetections=20");
            Assert.Equal(images.Length, results.Length);
            foreach (var (image, result) in images.Zip(results))
            {
                var alone = await Client.DetectAsync(image, "scoreThreshold=0.1&maxDetections=20");
                Assert.Equal(
                    alone.EnumerateObject().Select(property => property.Name),
                    result.EnumerateObject().Select(property => property.Name));
                Assert.Equal(alone.GetProperty("image").GetRawText(), result.GetProperty("image").GetRawText());
                Assert.Equal(alone.Detections(), result.Detections());
            }
        }
    }

    [Fact]
    public async Task Batch_Coco_CountsImageIdsOnByPosition()
    {
        var results = await Client.BatchAsync([Sample, [1, 2, 3, 4], Sample], "format=coco&imageId=41&maxDetections=2");
        Assert.Equal([41L, 41L], results[0].EnumerateArray().Select(line => line.GetProperty("image_id").GetInt64()));
        BatchRequests.AssertProblem(results[1], 415, "unsupported-image-format");
        Assert.Equal([43L, 43L], results[2].EnumerateArray().Select(line => line.GetProperty("image_id").GetInt64()));
        using var alone = await Client.PostDetectAsync(Sample, "format=coco&imageId=43&maxDetections=2");
        Assert.Equal(await alone.Content.ReadAsStringAsync(Cancel), results[2].GetRawText());
    }

    [Theory]
    [InlineData("format=voc", null)]
    [InlineData("format=yolo", null)]
    [InlineData("", "text/plain")]
    public async Task Batch_TextFormats_AreStringsOfWhatDetectAnswers(string query, string? accept)
    {
        (string, string)[] headers = accept is null ? [] : [("Accept", accept)];
        var results = await Client.BatchAsync(Mixed, query, headers);
        foreach (var (image, result) in Mixed.Zip(results))
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"detect?{query}");
            request.Content = new ByteArrayContent(image);
            if (accept is not null)
            {
                request.Headers.Accept.ParseAdd(accept);
            }

            using var alone = await Client.SendAsync(request, Cancel);

            // A VOC annotation names the file after its number in the batch.
            var expected = await alone.Content.ReadAsStringAsync(Cancel);
            var number = Array.IndexOf(Mixed, image);
            Assert.Equal(
                expected.Replace("<filename>0.", $"<filename>{number}.", StringComparison.Ordinal), result.GetString());
        }
    }

    [Theory]
    [InlineData("format=image", null, "image/png")]
    [InlineData("", "image/jpeg", "image/jpeg")]
    public async Task Batch_Pictures_AreDataUrisOfWhatDetectAnswers(string query, string? accept, string mediaType)
    {
        (string, string)[] headers = accept is null ? [] : [("Accept", accept)];
        var results = await Client.BatchAsync([Mixed[0], [1, 2, 3, 4], Mixed[1]], query, headers);
        foreach (var (image, result) in ((byte[], JsonElement)[])[(Mixed[0], results[0]), (Mixed[1], results[2])])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "detect?format=image");
            request.Content = new ByteArrayContent(image);
            request.Headers.Accept.ParseAdd(mediaType);
            using var alone = await Client.SendAsync(request, Cancel);
            var picture = Convert.ToBase64String(await alone.Content.ReadAsByteArrayAsync(Cancel));
            var expected = $"data:{mediaType};base64,{picture}";
            Assert.True(
                expected == result.GetString(), $"{result.GetString()!.Length} characters, expected {expected.Length}");
        }

        BatchRequests.AssertProblem(results[1], 415, "unsupported-image-format");
    }

    [Fact]
    public async Task Batch_BadImages_CostOnlyThemselves()
    {
        var vast = MadePng.Header(50_000, 50_000);
        byte[][] images = [Sample, Sample[..^1000], [], "not a picture"u8.ToArray(), vast, Sample];
        var results = await Client.BatchAsync(images);
        var alone = (await Client.DetectAsync(Sample)).Detections();
        Assert.Equal(images.Length, results.Length);
        Assert.Equal(alone, results[0].Detections());
        BatchRequests.AssertProblem(results[1], 422, "undecodable-image");
        BatchRequests.AssertProblem(results[2], 400, "no-image");
        Assert.Equal("images", results[2].GetProperty("parameter").GetString());
        BatchRequests.AssertProblem(results[3], 415, "unsupported-image-format");
        BatchRequests.AssertProblem(results[4], 413, "too-many-pixels");
        Assert.Equal(alone, results[5].Detections());
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Batch_SixtyFourImages_AreAnsweredAndOneMoreIs413()
    {
        var pixel = MadePng.OnePixel();
        Assert.Equal(64, (await Client.BatchAsync(Enumerable.Repeat(pixel, 64))).Length);
        using var more = await Client.PostBatchAsync(Enumerable.Repeat(pixel, 65));
        var problem = await ProblemBody.AssertAsync(more, HttpStatusCode.RequestEntityTooLarge, "batch-too-large");
        Assert.Contains("64 images", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_ChunkedForm_IsReadAsWell()
    {
        using var form = BatchRequests.Form([Sample, Mixed[1]]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect/batch");
        request.Content = new StreamContent(await form.ReadAsStreamAsync(Cancel));
        request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.ContentType = form.Headers.ContentType;
        using var response = await Client.SendAsync(request, Cancel);
        using var answer = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(2, answer.RootElement.GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task Batch_FormThatIsNone_Is400()
    {
        using var raw = await Client.PostAsync("detect/batch", new ByteArrayContent(Sample), Cancel);
        await ProblemBody.AssertAsync(raw, HttpStatusCode.BadRequest, "no-image");
        using var empty = await Client.PostBatchAsync([]);
        Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);
        using var other = await Client.PostAsync(
            "detect/batch", new MultipartFormDataContent { { new ByteArrayContent(Sample), "image", "a" } }, Cancel);
        await ProblemBody.AssertBadParameterAsync(other, "image");
        using var boundary = new ByteArrayContent(Sample);
        Assert.True(boundary.Headers.TryAddWithoutValidation("Content-Type", "multipart/form-data"));
        using var without = await Client.PostAsync("detect/batch", boundary, Cancel);
        await ProblemBody.AssertAsync(without, HttpStatusCode.BadRequest, "broken-multipart");
    }

    [Fact]
    public async Task Batch_FormThatBreaksOffAfterImages_Is400AsAWhole()
    {
        using var form = BatchRequests.Form([Sample, Sample]);
        var bytes = await form.ReadAsByteArrayAsync(Cancel);
        using var cut = new ByteArrayContent(bytes[..^(Sample.Length / 2)]);
        cut.Headers.ContentType = form.Headers.ContentType;
        using var response = await Client.PostAsync("detect/batch", cut, Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, "broken-multipart");
    }

    [Theory]
    [InlineData("imageId=9223372036854775807", "imageId")]
    [InlineData("format=gif", "format")]
    [InlineData("labels=cat", "labels")]
    [InlineData("images=1", "images")]
    public async Task Batch_BadParameter_Is400ThatNamesIt(string query, string parameter)
    {
        using var response = await Client.PostBatchAsync([Sample], query);
        await ProblemBody.AssertBadParameterAsync(response, parameter);
    }

    [Fact]
    public async Task Batch_Headers_HoldForEachImage()
    {
        var late = await Client.BatchAsync([Sample, Sample], "", ("X-Request-Timeout-Ms", "1"), ("X-Priority", "low"));
        Assert.All(late, result => BatchRequests.AssertProblem(result, 504, "deadline-passed"));
        using var wrong = await Client.PostBatchAsync([Sample], "", ("X-Priority", "urgent"));
        await ProblemBody.AssertAsync(wrong, HttpStatusCode.BadRequest, "bad-parameter");
        using var unacceptable = await Client.PostBatchAsync([Sample], "", ("Accept", "text/html"));
        await ProblemBody.AssertAsync(unacceptable, HttpStatusCode.NotAcceptable, "not-acceptable");
        using var get = await Client.GetAsync("detect/batch", Cancel);
        await ProblemBody.AssertAsync(get, HttpStatusCode.MethodNotAllowed, "method-not-allowed");
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Batch_EarlyAnswer_ComesWhileLaterImagesAreStillComputed()
    {
        // The head of the answer can only be read before the last image is done if it is not kept until then.
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        using var form = BatchRequests.Form([Mixed[1], .. Enumerable.Repeat(Sample, 20)]);
        var body = await form.ReadAsByteArrayAsync(Cancel);
        var log = fixture.Service.Log.All.Count;
        await connection.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /detect/batch HTTP/1.1\r\nHost: test\r\nContent-Length: {body.Length}\r\n"
            + $"Content-Type: {form.Headers.ContentType}\r\n\r\n"));
        await connection.SendAsync(body);
        Assert.StartsWith("HTTP/1.1 200 ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            fixture.Service.Log.All.Skip(log), line => line.Contains("POST /detect/batch", StringComparison.Ordinal));
        var line = await fixture.Service.Log.WaitForAsync(
            log, line => line.Contains("POST /detect/batch 200", StringComparison.Ordinal), Cancel);
        Assert.Contains(" in 21 images", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Batch_Logged_CountsImagesAndProblems()
    {
        var log = fixture.Service.Log.All.Count;
        var results = await Client.BatchAsync([Sample, [1, 2, 3, 4], [], Sample, [5, 6, 7, 8]]);
        var found = results[0].Detections().Length + results[3].Detections().Length;
        var line = await fixture.Service.Log.WaitForAsync(
            log, line => line.Contains("POST /detect/batch", StringComparison.Ordinal), Cancel);
        Assert.Contains(
            $" blood-cells found {found} in 5 images, of which 3 failed: no-image 1, unsupported-image-format 2 "
            + $"(traceId {results[1].GetProperty("traceId").GetString()})",
            line,
            StringComparison.Ordinal);
    }
}
