using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Client.Tests.Running;

namespace Fpn.Client.Tests.Answers;

/// <summary>Answers of other versions of the service, and of what stands in front of it.</summary>
public sealed class AnswerTests
{
    private const string Detection = """
        {
          "model": "m", "modelVersion": "2", "image": { "width": 4, "height": 3, "format": "png" },
          "detections": [
            {
              "label": "cat", "classId": 17, "score": 0.5,
              "box": { "x1": 0.25, "y1": 1, "x2": 3, "y2": 2.5 }, "level": "p3"
            }
          ],
          "timings":
            { "decodeMs": 1, "preprocessMs": 2, "queueMs": 3, "inferenceMs": 4, "postprocessMs": 5, "totalMs": 15 },
          "batchSize": 4
        }
        """;

    private static readonly byte[] Image = [1, 2, 3];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>By hand: every member, and what is derived from it.</summary>
    [Fact]
    public async Task Detect_AnAnswer_IsReadMemberByMember()
    {
        var result = await DetectAsync(Detection);
        Assert.Equal(("m", "2", 4), (result.Model, result.ModelVersion, result.BatchSize));
        Assert.Equal(new ImageInfo { Width = 4, Height = 3, Format = "png" }, result.Image);
        var found = Assert.Single(result.Detections);
        Assert.Equal(("cat", 17, 0.5, "p3"), (found.Label, found.ClassId, found.Score, found.Level));
        Assert.Equal(new BoundingBox(0.25, 1, 3, 2.5), found.Box);
        Assert.Equal((2.75, 1.5), (found.Box.Width, found.Box.Height));
        var timings = result.Timings;
        Assert.Equal(
            (1d, 2d, 3d, 4d, 5d, 15d),
            (timings.DecodeMs, timings.PreprocessMs, timings.QueueMs,
                timings.InferenceMs, timings.PostprocessMs, timings.TotalMs));
    }

    /// <summary>A newer service says more, in every object.</summary>
    [Fact]
    public async Task Detect_UnknownMembers_AreIgnored()
    {
        var result = await DetectAsync(WithMore(JsonNode.Parse(Detection)!).ToJsonString());
        var plain = await DetectAsync(Detection);
        Assert.Equal(plain.Detections, result.Detections);
        Assert.Equal((plain.Image, plain.Timings), (result.Image, result.Timings));
    }

    /// <summary>End-to-end models have no levels.</summary>
    [Fact]
    public async Task Detect_WithoutLevel_HasNone()
    {
        var answer = JsonNode.Parse(Detection)!;
        answer["detections"]![0]!.AsObject().Remove("level");
        Assert.Null(Assert.Single((await DetectAsync(answer.ToJsonString())).Detections).Level);
    }

    /// <summary>The login page of a proxy, half an answer, another program's: all of them with status 200.</summary>
    [Theory]
    [InlineData("<html></html>")]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{\"status\": \"ok\"}")]
    [InlineData("{\"model\": \"m\", \"modelVersion\"")]
    public async Task Detect_AnotherAnswer_IsAnInvalidResponse(string body)
    {
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => DetectAsync(body));
        Assert.Equal(HttpRequestError.InvalidResponse, failure.HttpRequestError);
        Assert.IsType<JsonException>(failure.InnerException);
    }

    [Fact]
    public async Task Detect_NullForAList_IsAnInvalidResponse()
    {
        var answer = JsonNode.Parse(Detection)!;
        answer["detections"] = null;
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => DetectAsync(answer.ToJsonString()));
        Assert.Equal(HttpRequestError.InvalidResponse, failure.HttpRequestError);
    }

    [Theory]
    [InlineData("{\"results\": [7]}")]
    [InlineData("{\"results\": [{}]}")]
    [InlineData("{}")]
    public async Task DetectBatch_AnotherAnswer_IsAnInvalidResponse(string body)
    {
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.OK, body));
        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => stub.Client().DetectBatchAsync([Image], cancellationToken: Cancel));
        Assert.Equal(HttpRequestError.InvalidResponse, failure.HttpRequestError);
    }

    [Fact]
    public async Task DetectBatch_AProblem_KeepsItsRetryAfter()
    {
        var stub = new StubHandler(StubHandler.Answer(
            HttpStatusCode.OK,
            $$"""
            {
              "results":
                [{{Detection}}, {"type": "queue-full", "title": "Queue full", "status": 503, "retryAfterSeconds": 4}]
            }
            """));
        var items = await stub.Client().DetectBatchAsync([Image, Image], cancellationToken: Cancel);
        Assert.Equal("cat", Assert.Single(items[0].Result!.Detections).Label);
        Assert.Equal(
            ("queue-full", 503, TimeSpan.FromSeconds(4)),
            (items[1].Problem!.Type, items[1].Problem!.Status, items[1].Problem!.RetryAfter));
    }

    [Fact]
    public async Task Problem_Members_AreTypedAndTheRestAreExtensions()
    {
        const string Body = """
            {
              "type": "queue-full", "title": "Queue full", "status": 503, "detail": "256 images wait.",
              "retryAfterSeconds": 2, "traceId": "00-1", "parameter": "image", "waiting": 256, "hints": ["later"]
            }
            """;
        var problem = await ProblemAsync(HttpStatusCode.ServiceUnavailable, Body, "application/problem+json");
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, "queue-full", "Queue full"),
            (problem.Status, problem.Type, problem.Title));
        Assert.Equal("256 images wait.", problem.Detail);
        Assert.Equal(TimeSpan.FromSeconds(2), problem.RetryAfter);
        Assert.Equal(("00-1", "image"), (problem.Problem.TraceId, problem.Problem.Parameter));
        Assert.Equal(["hints", "waiting"], problem.Extensions.Keys.Order());
        Assert.Equal(256, problem.Extensions["waiting"].GetInt32());
        Assert.Equal("Queue full (503, queue-full): 256 images wait.", problem.Message);
    }

    /// <summary>A proxy's page, and problems that are broken or say nothing: the status is known.</summary>
    [Theory]
    [InlineData("<html>Bad gateway</html>", "text/html")]
    [InlineData("{\"status\": \"many\"}", "application/problem+json")]
    [InlineData("", "application/problem+json")]
    public async Task Problem_OfAnotherForm_HasTheStatus(string body, string type)
    {
        var problem = await ProblemAsync(HttpStatusCode.BadGateway, body, type);
        Assert.Equal(
            (HttpStatusCode.BadGateway, FpnProblem.UnknownType, "Bad Gateway"),
            (problem.Status, problem.Type, problem.Title));
        Assert.Empty(problem.Extensions);
        Assert.Null(problem.RequestId);
    }

    /// <summary>A body that contradicts the status line does not change what the answer is.</summary>
    [Fact]
    public async Task Problem_AnotherStatusInTheBody_IsThatOfTheAnswer()
    {
        var problem = await ProblemAsync(HttpStatusCode.NotFound, "{\"status\": 500}", "application/problem+json");
        Assert.Equal(HttpStatusCode.NotFound, problem.Status);
    }

    /// <summary>The header counts before the body, and a date is read by the sender's own clock.</summary>
    [Fact]
    public async Task Problem_RetryAfterHeader_CountsFirst()
    {
        var stub = new StubHandler(async request =>
        {
            var answer = await StubHandler.Answer(
                HttpStatusCode.TooManyRequests, "{\"retryAfterSeconds\": 9}", "application/problem+json")(request);
            answer.Headers.Date = new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.Zero);
            answer.Headers.Add("Retry-After", "Sat, 03 Feb 2001 04:05:36 GMT");
            return answer;
        });
        var problem = await Assert.ThrowsAsync<FpnProblemException>(
            () => stub.Client().DetectAsync(Image, cancellationToken: Cancel));
        Assert.Equal(TimeSpan.FromSeconds(30), problem.RetryAfter);
    }

    /// <summary>A health report comes with a 503 too; a proxy's problem does not hold one.</summary>
    [Fact]
    public async Task GetHealth_NotReady_IsAReportOrAProblem()
    {
        const string Report = """
            {
              "status": "Unhealthy",
              "checks": { "models": { "status": "Unhealthy", "description": "Loading.", "data": {} } }
            }
            """;
        var loading = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, Report));
        var report = await loading.Client().GetHealthAsync(Cancel);
        Assert.False(report.IsReady);
        Assert.Equal("Loading.", report.Checks["models"].Description);

        var proxy = new StubHandler(StubHandler.Answer(
            HttpStatusCode.ServiceUnavailable,
            "{\"type\": \"no-replica\", \"status\": 503}",
            "application/problem+json"));
        Assert.Equal(
            "no-replica",
            (await Assert.ThrowsAsync<FpnProblemException>(() => proxy.Client().GetHealthAsync(Cancel))).Type);
        Assert.False(await proxy.Client().IsReadyAsync(Cancel));

        var broken = new StubHandler(StubHandler.Answer(HttpStatusCode.InternalServerError));
        await Assert.ThrowsAsync<FpnProblemException>(() => broken.Client().IsReadyAsync(Cancel));
    }

    private static JsonNode WithMore(JsonNode node)
    {
        if (node is JsonArray array)
        {
            return new JsonArray([.. array.Select(item => WithMore(item!))]);
        }

        return node is JsonObject members
            ? new JsonObject(
            [
                .. members.Select(
                    member => KeyValuePair.Create<string, JsonNode?>(member.Key, WithMore(member.Value!))),
                KeyValuePair.Create<string, JsonNode?>("later", JsonNode.Parse("""{ "version": [2, null] }""")),
            ])
            : node.DeepClone();
    }

    private static Task<DetectionResult> DetectAsync(string answer) =>
        new StubHandler(StubHandler.Answer(HttpStatusCode.OK, answer)).Client()
            .DetectAsync(Image, cancellationToken: Cancel);

    private static Task<FpnProblemException> ProblemAsync(HttpStatusCode status, string body, string type) =>
        Assert.ThrowsAsync<FpnProblemException>(
            () => new StubHandler(StubHandler.Answer(status, body, type)).Client()
                .DetectAsync(Image, cancellationToken: Cancel));
}
