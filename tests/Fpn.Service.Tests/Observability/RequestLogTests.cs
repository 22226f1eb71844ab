using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Observability;

/// <summary>One line a request, and none for probes.</summary>
[Collection(ServiceFixture.Collection)]
public sealed partial class RequestLogTests(ServiceFixture fixture)
{
    private const string Category = "Serilog.AspNetCore.RequestLoggingMiddleware: ";

    private HttpClient Client => fixture.Service.Client;

    private LogLines Log => fixture.Service.Log;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_Answered_LogsStatusModelDetectionsAndStageTimes()
    {
        var start = Log.All.Count;
        var answer = await Client.DetectAsync(MadeImages.Read("odd-501x333.png"));
        var line = await Log.WaitForAsync(start, line => line.Contains(Category, StringComparison.Ordinal), Cancel);

        var match = DetectionLine().Match(line);
        Assert.True(match.Success, line);
        Assert.Equal("blood-cells", match.Groups["model"].Value);
        Assert.Equal($"{answer.Detections().Length}", match.Groups["detections"].Value);
        var timings = answer.GetProperty("timings");
        foreach (var stage in new[] { "decode", "preprocess", "queue", "inference", "postprocess" })
        {
            Assert.Equal(timings.GetProperty($"{stage}Ms").GetRawText(), match.Groups[stage].Value);
        }
    }

    [Fact]
    public async Task Detect_Refused_LogsStatusAndProblem()
    {
        var start = Log.All.Count;
        using var response = await Client.PostDetectAsync([1, 2, 3]);
        var line = await Log.WaitForAsync(start, line => line.Contains(Category, StringComparison.Ordinal), Cancel);
        Assert.StartsWith($"Information {Category}POST /detect 415 in ", line, StringComparison.Ordinal);
        Assert.Contains(": unsupported-image-format: ", line, StringComparison.Ordinal);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Contains($"(traceId {body.GetProperty("traceId").GetString()})", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models", 200)]
    [InlineData("nothing/here", 404)]
    public async Task Get_Answered_LogsOneLine(string path, int status)
    {
        var start = Log.All.Count;
        using var response = await Client.GetAsync(path, Cancel);
        await Log.WaitForAsync(
            start, line => line.Contains($"{Category}GET /{path} {status} in ", StringComparison.Ordinal), Cancel);
        Assert.Single(Log.All.Skip(start), line => line.Contains(Category, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("health/live")]
    [InlineData("health/ready")]
    public async Task Health_Served_Is200AndNotLogged(string path)
    {
        var start = Log.All.Count;
        using var probe = await Client.GetAsync(path, Cancel);
        Assert.Equal(200, (int)probe.StatusCode);
        Assert.Equal("Healthy", await probe.Content.ReadAsStringAsync(Cancel));

        // The line of a later request is there, so one of the probe would be.
        using var later = await Client.GetAsync("models", Cancel);
        await Log.WaitForAsync(
            start, line => line.Contains($"{Category}GET /models ", StringComparison.Ordinal), Cancel);
        Assert.DoesNotContain(
            Log.All.Skip(start), line => line.Contains($"{Category}GET /health", StringComparison.Ordinal));
    }

    [GeneratedRegex(
        @"^Information Serilog\.AspNetCore\.RequestLoggingMiddleware: POST /detect 200 in [\d.]+ ms: "
        + @"(?<model>\S+) found (?<detections>\d+) in 333x501 png, batch 1, "
        + @"decode (?<decode>[\d.]+), preprocess (?<preprocess>[\d.]+), queue (?<queue>[\d.]+), "
        + @"inference (?<inference>[\d.]+), postprocess (?<postprocess>[\d.]+) ms")]
    private static partial Regex DetectionLine();
}
