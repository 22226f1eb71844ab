using System.Net;
using System.Text;
using System.Text.Json;
using Fpn.Imaging.Pixels;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>What <c>/detect/batch</c> does at its limits, and that nothing stays behind. Nothing else decodes
/// meanwhile.</summary>
[Collection(Alone.Collection)]
[Trait("Speed", "slow")]
public sealed class BatchLimitsTests
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Two images are all that may be admitted at a time: the others wait for their turns.</summary>
    [Fact]
    public async Task Batch_MoreThanTheQueueHolds_RunsInTurns()
    {
        using var service = new RunningService(("Fpn:Batching:QueueCapacity", "1"), ("Fpn:Batching:MaxBatchSize", "1"));
        var alone = (await service.Client.DetectAsync(Sample)).Detections();
        var results = await service.Client.BatchAsync(Enumerable.Repeat(Sample, 16));
        Assert.Equal(16, results.Length);
        Assert.All(results, result => Assert.Equal(alone, result.Detections()));
        results = await service.Client.BatchAsync(Enumerable.Repeat(Sample, 16), "format=image");
        Assert.Equal(16, results.Length);
        Assert.All(results, result => Assert.Equal(JsonValueKind.String, result.ValueKind));
        await AssertNothingHeldAsync();
    }

    [Fact]
    public async Task Batch_ImageOverItsLimit_CostsOnlyItself()
    {
        using var service = new RunningService(("Fpn:Limits:MaxImageBytes", $"{Sample.Length}"));
        var results = await service.Client.BatchAsync([Sample, [.. Sample, 0], new byte[3_000_000], Sample]);
        var alone = (await service.Client.DetectAsync(Sample)).Detections();
        Assert.Equal(alone, results[0].Detections());
        BatchRequests.AssertProblem(results[1], 413, "image-too-large");
        BatchRequests.AssertProblem(results[2], 413, "image-too-large");
        Assert.Equal(alone, results[3].Detections());
        await AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Batch_FormOverItsLimit_Is413(bool chunked)
    {
        using var exact = BatchRequests.Form([Sample, Sample]);
        var bytes = await exact.ReadAsByteArrayAsync(Cancel);
        using var service = new RunningService(
            ("Fpn:Limits:MaxBatchBytes", $"{bytes.Length}"), ("Fpn:Limits:MaxBatchImages", "3"));
        using var fits = await SendAsync(service, bytes, exact, chunked);
        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
        using var more = await SendAsync(service, [.. "\r\n"u8, .. bytes], exact, chunked);
        var problem = await ProblemBody.AssertAsync(more, HttpStatusCode.RequestEntityTooLarge, "batch-too-large");
        Assert.Contains($"{bytes.Length} bytes", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        using var images = await service.Client.PostBatchAsync(Enumerable.Repeat(MadePng.OnePixel(), 4));
        problem = await ProblemBody.AssertAsync(images, HttpStatusCode.RequestEntityTooLarge, "batch-too-large");
        Assert.Contains("3 images", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await AssertNothingHeldAsync();
    }

    [Theory]
    [InlineData("json")]
    [InlineData("image")]
    public async Task Batch_FormsThatBreakOff_LeaveNothing(string format)
    {
        using var service = new RunningService();
        using var form = BatchRequests.Form([Sample, Sample, Sample]);
        var bytes = await form.ReadAsByteArrayAsync(Cancel);
        foreach (var length in (int[])[1000, Sample.Length, 2 * Sample.Length + 100, bytes.Length - 20])
        {
            using var cut = new ByteArrayContent(bytes[..length]);
            cut.Headers.ContentType = form.Headers.ContentType;
            using var response = await service.Client.PostAsync($"detect/batch?format={format}", cut, Cancel);
            await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, "broken-multipart");
            await AssertNothingHeldAsync();
        }
    }

    [Theory]
    [InlineData("json")]
    [InlineData("image")]
    public async Task Batch_ClientGoesAway_LeavesNothing(string format)
    {
        using var service = new RunningService();
        using var form = BatchRequests.Form(Enumerable.Repeat(Sample, 12));
        var bytes = await form.ReadAsByteArrayAsync(Cancel);
        foreach (var length in (int[])[3 * Sample.Length, bytes.Length])
        {
            var log = service.Log.All.Count;
            using (var connection = await RawConnection.OpenAsync(service.Address))
            {
                await connection.SendAsync(Encoding.ASCII.GetBytes(
                    $"POST /detect/batch?format={format} HTTP/1.1\r\nHost: test\r\nContent-Length: {bytes.Length}\r\n"
                    + $"Content-Type: {form.Headers.ContentType}\r\n\r\n"));
                await connection.SendAsync(bytes[..length]);
                await Eventually.TrueAsync(() => NativeImageMemory.HeldBytes > 0);
                connection.Reset();
            }

            await service.Log.WaitForAsync(
                log, line => line.Contains("POST /detect/batch", StringComparison.Ordinal), Cancel);
            await AssertNothingHeldAsync();
            var errors = service.Log.All.Skip(log).Where(line => line.StartsWith("Error", StringComparison.Ordinal));
            Assert.Equal(string.Empty, string.Join('\n', errors));
        }

        Assert.NotEmpty((await service.Client.DetectAsync(Sample)).Detections());
    }

    [Fact]
    public async Task Batch_ModelGivesNaN_EachImageHasIts500AndTheLogNamesIt()
    {
        using var models = new ModelFolder();
        models.Add();
        models.AddSpoiled("broken", "class_logits", float.NaN);
        var wide = File.ReadAllBytes(Checkout.WideImage);
        using var service = new RunningService(("Fpn:Models:Path", models.Path));
        var log = service.Log.All.Count;
        var results = await service.Client.BatchAsync([wide, [1, 2, 3, 4], wide], "model=broken");
        BatchRequests.AssertProblem(results[0], 500, "model-output-not-finite");
        BatchRequests.AssertProblem(results[1], 415, "unsupported-image-format");
        BatchRequests.AssertProblem(results[2], 500, "model-output-not-finite");
        Assert.Contains(
            service.Log.All.Skip(log),
            line => line.StartsWith("Error Fpn.Service.Detect.BatchEndpoint", StringComparison.Ordinal));
        await AssertNothingHeldAsync();
    }

    private static async Task<HttpResponseMessage> SendAsync(
        RunningService service, byte[] body, MultipartFormDataContent form, bool chunked)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "detect/batch");
        request.Content = new StreamContent(new MemoryStream(body));
        request.Content.Headers.ContentType = form.Headers.ContentType;
        request.Headers.TransferEncodingChunked = chunked;
        return await service.Client.SendAsync(request, Cancel);
    }

    private static Task AssertNothingHeldAsync() => Eventually.TrueAsync(() => NativeImageMemory.HeldBytes == 0);
}
