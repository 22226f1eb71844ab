using System.Net;
using System.Text;
using System.Text.Json;
using Fpn.Imaging.Pixels;
using Fpn.Models.Loading;
using Fpn.Service.Lifetime;
using Fpn.Serving.Lanes;
using Fpn.Testing.Fakes;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>
/// The schedule policy extension, the queue and the limits, with a model whose runs end when the test says so. Nothing
/// else decodes meanwhile: what a request leaves in native memory is counted.
/// </summary>
[Collection(Alone.Collection)]
public sealed class ScheduleTests : IAsyncDisposable
{
    private const string Infer = "v2/models/fake/infer";

    private readonly FakeDetector _detector = new() { RunsFreely = true };
    private RunningService? _service;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private ModelLane Lane => _service!.Services.GetRequiredService<LaneRegistry>().Lanes[0];

    /// <summary>Whatever the test did, every buffer and every place in the queue is given back.</summary>
    public async ValueTask DisposeAsync()
    {
        _detector.RunsFreely = true;
        await Eventually.TrueAsync(() => Lane.Admitted == 0);
        _service!.Dispose();
        Assert.Equal(0, NativeImageMemory.HeldBytes);
    }

    [Fact]
    public async Task Priority_LowerNumber_GoesFirst()
    {
        Start(("Fpn:Batching:MaxBatchSize", "1"));
        var first = await OccupyAsync(100);
        var ahead = PostAsync(1, "{}"); // Prepared while the first runs.
        await _detector.NextPreparedAsync();
        Task<HttpResponseMessage>[] waiting =
        [
            PostAsync(13, """{"priority": 3}"""), PostAsync(19, """{"priority": 18446744073709551615}"""),
            PostAsync(10, """{"priority": 0}"""), PostAsync(12, """{"priority": 2}"""), PostAsync(20, "{}"),
            PostAsync(11, """{"priority": 1}"""),
            PostAsync(21, "{}", ("X-Priority", "high")),
            PostAsync(23, """{"priority": 3}""", ("X-Priority", "high")),
        ];
        await Eventually.TrueAsync(() => Lane.Batcher.Waiting == waiting.Length);
        first.Run.End();

        var order = new List<int>();
        for (var i = 0; i < waiting.Length + 1; i++)
        {
            var run = await _detector.NextRunAsync();
            order.AddRange(run.Widths);
            run.End();
        }

        foreach (var response in await Task.WhenAll([first.Response, ahead, .. waiting]))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            response.Dispose();
        }

        Assert.Equal([1], order[..1]);
        Assert.Equal([11, 21], order[1..3].Order());
        Assert.Equal([10, 12, 20], order[3..6].Order());
        Assert.Equal([13, 19, 23], order[6..].Order());
    }

    [Fact]
    public async Task Timeout_OneMicrosecond_Is504AndTheRestGoesOn()
    {
        Start();
        var first = await OccupyAsync(100);
        using var late = await PostAsync(11, """{"timeout": 1}""");
        Assert.StartsWith("image[0]: ", await late.ErrorAsync(HttpStatusCode.GatewayTimeout), StringComparison.Ordinal);
        using var header = await PostAsync(12, "{}", ("X-Request-Timeout-Ms", "1"));
        await header.ErrorAsync(HttpStatusCode.GatewayTimeout);
        _detector.RunsFreely = true;
        first.Run.End();
        using var response = await first.Response;
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Theory]
    [InlineData("""{"timeout": 0}""")]
    [InlineData("""{"timeout": 18446744073709551615}""")]
    public async Task Timeout_ZeroOrForEver_LeavesTheDeadline(string parameters)
    {
        Start();
        _detector.RunsFreely = true;
        using var response = await PostAsync(11, parameters);
        var answer = await response.ReadInferAsync();
        Assert.Equal([11], answer.Floats("scores"));
    }

    [Fact]
    public async Task Queue_Full_Is503WithRetryAfter()
    {
        Start(("Fpn:Batching:MaxBatchSize", "1"), ("Fpn:Batching:QueueCapacity", "1"));
        var first = await OccupyAsync(100);
        var second = PostAsync(11, "{}");
        await Eventually.TrueAsync(() => Lane.Admitted == 2);
        using var refused = await PostAsync(12, "{}");
        Assert.Contains(
            "image[0]", await refused.ErrorAsync(HttpStatusCode.ServiceUnavailable), StringComparison.Ordinal);
        Assert.True(refused.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1));
        first.Run.End();
        (await _detector.NextRunAsync()).End();
        Assert.All(
            await Task.WhenAll(first.Response, second),
            response => Assert.Equal(HttpStatusCode.OK, response.StatusCode));
    }

    [Fact]
    public async Task Batch_GoesThroughTheQueueTogether()
    {
        Start(("Fpn:Batching:MaxBatchSize", "4"));
        var first = await OccupyAsync(100);
        var batch = _service!.Client.PostInferAsync(Json([11, 12, 13, 14], "{}"), Infer);
        await Eventually.TrueAsync(() => Lane.Admitted == 5);
        first.Run.End();
        var widths = new List<int>();
        while (widths.Count < 4)
        {
            var run = await _detector.NextRunAsync();
            widths.AddRange(run.Widths);
            run.End();
        }

        using var response = await batch;
        var answer = await response.ReadInferAsync();
        Assert.Equal([11, 12, 13, 14], answer.Floats("scores"));
        Assert.Equal([0, 1, 2, 3], answer.Integers("image_index"));
        (await first.Response).Dispose();
    }

    [Fact]
    public async Task Batch_OneImageFails_TheOthersAreGivenUp()
    {
        Start(("Fpn:Batching:MaxBatchSize", "1"));
        var first = await OccupyAsync(100);
        using var response = await _service!.Client.PostInferAsync(
            InferCall.Json([Pictures.Png(11, 16), Pictures.Png(12, 16), "no image"u8.ToArray(), Pictures.Png(13, 16)]),
            Infer);
        Assert.StartsWith(
            "image[2]: ", await response.ErrorAsync(HttpStatusCode.UnsupportedMediaType), StringComparison.Ordinal);

        // Answered while the device is busy: no caller waited for the good ones, and they left the queue.
        await Eventually.TrueAsync(() => Lane.Admitted == 1);
        _detector.RunsFreely = true;
        first.Run.End();
        (await first.Response).Dispose();
    }

    [Fact]
    public async Task Model_GivesNaN_Is500WithATraceId()
    {
        _detector.PoisonedWidths.Add(66);
        Start();
        _detector.RunsFreely = true;
        using var response = await _service!.Client.PostInferAsync(Json([65, 66], "{}"), Infer);
        Assert.Contains(
            "(traceId ", await response.ErrorAsync(HttpStatusCode.InternalServerError), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Client_HangsUp_LeavesNothingBehind()
    {
        Start();
        var first = await OccupyAsync(100);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using var content = new StringContent(Json([11, 12], "{}"));
        var lost = _service!.Client.PostAsync(Infer, content, gone.Token);
        await Eventually.TrueAsync(() => Lane.Admitted == 3);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => lost);
        await Eventually.TrueAsync(() => Lane.Admitted == 1);

        // What was prepared already runs, though no caller waits for it.
        _detector.RunsFreely = true;
        first.Run.End();
        (await first.Response).Dispose();
    }

    [Fact]
    public async Task Body_NotThereWhenTheServiceEnds_Is503()
    {
        Start();
        using var connection = await RawConnection.OpenAsync(_service!.Address);
        await connection.SendAsync(
            $"POST /{Infer} HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100", await connection.ReadHeadAsync(), StringComparison.Ordinal);
        await connection.SendAsync("{\"inputs\": ");
        _service.Services.GetRequiredService<Drain>().CallLast();
        var answer = await connection.ReadAnswerAsync();
        Assert.Equal(503, answer.Status);
        Assert.Equal(
            ["error"], JsonDocument.Parse(answer.Body).RootElement.EnumerateObject().Select(member => member.Name));
    }

    [Fact]
    public async Task Limits_OneByteOrOneImageMore_IsRefused()
    {
        var picture = Pictures.Png(11, 16);
        var binary = InferCall.Binary(picture, picture);
        var json = InferCall.BinaryJson(2, binary.Length);
        Start(
            ("Fpn:Limits:MaxImageBytes", $"{picture.Length}"),
            ("Fpn:Limits:MaxBatchImages", "2"),
            ("Fpn:Limits:MaxBatchBytes", $"{json.Length + binary.Length}"));
        _detector.RunsFreely = true;
        var client = _service!.Client;
        using (var fits = await client.PostInferAsync(json, binary, Infer))
        {
            Assert.Equal(2, (await fits.ReadInferAsync()).Count);
        }

        using (var raw = await client.PostInferAsync(picture, "0", Infer))
        {
            Assert.Equal(1, (await raw.ReadInferAsync()).Count);
        }

        byte[] larger = [.. picture, 0];
        using (var raw = await client.PostInferAsync(larger, "0", Infer))
        {
            await raw.ErrorAsync(HttpStatusCode.RequestEntityTooLarge);
        }

        using (var body = await client.PostInferAsync(" " + json, binary, Infer))
        {
            Assert.Contains(
                $"{json.Length + binary.Length} bytes",
                await body.ErrorAsync(HttpStatusCode.RequestEntityTooLarge),
                StringComparison.Ordinal);
        }

        var one = InferCall.Binary(larger);
        using (var image = await client.PostInferAsync(InferCall.BinaryJson(1, one.Length), one, Infer))
        {
            Assert.StartsWith(
                "image[0]: ", await image.ErrorAsync(HttpStatusCode.RequestEntityTooLarge), StringComparison.Ordinal);
        }

        using (var base64 = await client.PostInferAsync(InferCall.Json([larger]), Infer))
        {
            Assert.StartsWith(
                "image[0]: ", await base64.ErrorAsync(HttpStatusCode.RequestEntityTooLarge), StringComparison.Ordinal);
        }

        using (var count = await client.PostInferAsync(InferCall.BinaryJson(3, 3), [0, 0, 0], Infer))
        {
            Assert.Contains("1 to 2", await count.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("Content-Length: 300000000", "413")]
    [InlineData("Content-Length: 100000000\r\nInference-Header-Content-Length: 0", "413")]
    [InlineData("Content-Length: 10\r\nInference-Header-Content-Length: 11", "400")]
    [InlineData("Content-Length: 10\r\nContent-Encoding: gzip", "415")]
    public async Task Body_RefusedByItsHeaders_IsNotAskedFor(string headers, string status)
    {
        Start();
        using var connection = await RawConnection.OpenAsync(_service!.Address);
        await connection.SendAsync(
            $"POST /{Infer} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nExpect: 100-continue\r\n{headers}\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status} ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Body_OverTheLimitInChunks_Is413()
    {
        Start(("Fpn:Limits:MaxBatchBytes", "1000"));
        using var request =
            new HttpRequestMessage(HttpMethod.Post, Infer) { Content = new ByteArrayContent(new byte[1001]) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await _service!.Client.SendAsync(request, Cancel);
        await response.ErrorAsync(HttpStatusCode.RequestEntityTooLarge);
    }

    private static string Json(int[] widths, string parameters) =>
        InferCall.Json([.. widths.Select(width => Pictures.Png(width, 16))], $", \"parameters\": {parameters}");

    private void Start(params (string Name, string Value)[] settings)
    {
        _service = new RunningService(
            services => services.AddSingleton<IModelPackages>(new FakePackages(("fake", () => _detector))),
            [("Fpn:Batching:TuningBudget", "0"), ("Fpn:Batching:MaxBatchSize", "2"), .. settings]);

        // It is warm now.
        _detector.RunsFreely = false;
        _detector.Forget();
    }

    private Task<HttpResponseMessage> PostAsync(
        int width, string parameters, params (string Name, string Value)[] headers) =>
        _service!.Client.PostInferAsync(Encoding.UTF8.GetBytes(Json([width], parameters)), null, Infer, headers);

    /// <summary>Puts one request on the device.</summary>
    private async Task<(FakeRun Run, Task<HttpResponseMessage> Response)> OccupyAsync(int width)
    {
        var response = PostAsync(width, "{}");
        await _detector.NextPreparedAsync();
        return (await _detector.NextRunAsync(), response);
    }
}
