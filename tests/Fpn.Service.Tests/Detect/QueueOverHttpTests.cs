using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>What a client sees of the queue, over HTTP with the real model.</summary>
[Trait("Speed", "slow")]
public sealed class QueueOverHttpTests
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_PriorityAndTimeoutHeaders_AreReadOrRefusedByName()
    {
        using var service = new RunningService();
        foreach (var (name, value) in ((string, string)[])[
            ("X-Priority", "urgent"), ("X-Priority", "high,low"), ("X-Priority", "1"),
            ("X-Request-Timeout-Ms", "0"),
            ("X-Request-Timeout-Ms", "-5"),
            ("X-Request-Timeout-Ms", "5.5"),
            ("X-Request-Timeout-Ms", "5s"),
            ("X-Request-Timeout-Ms", "99999999999")])
        {
            using var response = await PostAsync(service, (name, value));
            var problem = await ProblemBody.AssertBadParameterAsync(response, name);
            Assert.Contains($"'{value}'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        var alone = (await service.Client.DetectAsync(Sample)).Detections();
        foreach (var priority in (string[])["high", "Normal", "LOW"])
        {
            using var response = await PostAsync(service, ("X-Priority", priority), ("X-Request-Timeout-Ms", "60000"));
            Assert.Equal(alone, (await response.ReadDetectionAsync()).Detections());
        }

        using var late = await PostAsync(service, ("X-Request-Timeout-Ms", "1"));
        await ProblemBody.AssertAsync(late, HttpStatusCode.GatewayTimeout, "deadline-passed");
        Assert.Equal(alone, (await service.Client.DetectAsync(Sample)).Detections());
    }

    [Fact]
    public async Task Detect_MoreThanTheQueueHolds_SomeAreRefusedAndTheRestAnswered()
    {
        using var service = new RunningService(("Fpn:Batching:QueueCapacity", "1"), ("Fpn:Batching:MaxBatchSize", "1"));
        var alone = (await service.Client.DetectAsync(Sample)).Detections();
        var responses = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => service.Client.PostDetectAsync(Sample)));
        var answered = 0;
        foreach (var response in responses)
        {
            if (response.StatusCode == HttpStatusCode.OK)
            {
                answered++;
                Assert.Equal(alone, (await response.ReadDetectionAsync()).Detections());
            }
            else
            {
                await ProblemBody.AssertAsync(response, HttpStatusCode.ServiceUnavailable, "queue-full");
                Assert.True(
                    response.Headers.RetryAfter?.Delta >= TimeSpan.FromSeconds(1),
                    $"Retry-After: {response.Headers.RetryAfter}");
            }

            response.Dispose();
        }

        // Two hold all that may be admitted at a time.
        Assert.InRange(answered, 2, 15);
        Assert.Equal(alone, (await service.Client.DetectAsync(Sample)).Detections());
    }

    [Fact]
    public async Task Model_MeasuredAtStart_ShowsTheCurveAndTheChoice()
    {
        using var service = new RunningService();
        var batching = await BatchingOfAsync(service);
        var curve = batching.GetProperty("curve").EnumerateArray().ToList();
        Assert.Equal(1, curve[0].GetProperty("batchSize").GetInt32());
        Assert.All(curve, point => Assert.True(point.GetProperty("imagesPerSecond").GetDouble() > 0));
        Assert.Contains(
            batching.GetProperty("maxBatchSize").GetInt32(),
            curve.Select(point => point.GetProperty("batchSize").GetInt32()));
        Assert.Empty(batching.GetProperty("buckets").EnumerateArray());
    }

    [Fact]
    public async Task Model_FixedBatchSizeAndBuckets_ShowsThemWithoutACurve()
    {
        using var service = new RunningService(("Fpn:Batching:MaxBatchSize", "3"), ("Fpn:Batching:Buckets", "derived"));
        var batching = await BatchingOfAsync(service);
        Assert.Equal(3, batching.GetProperty("maxBatchSize").GetInt32());
        Assert.Empty(batching.GetProperty("curve").EnumerateArray());
        Assert.Equal(
            ["384x512", "512x384", "384x640", "640x384"],
            batching.GetProperty("buckets").EnumerateArray().Select(size => size.GetString()));
    }

    private static async Task<JsonElement> BatchingOfAsync(RunningService service) =>
        (await service.Client.GetFromJsonAsync<JsonElement>("models/blood-cells", Cancel)).GetProperty("batching");

    private static async Task<HttpResponseMessage> PostAsync(
        RunningService service, params (string Name, string Value)[] headers)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "detect") { Content = new ByteArrayContent(Sample) };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return await service.Client.SendAsync(request, Cancel);
    }
}
