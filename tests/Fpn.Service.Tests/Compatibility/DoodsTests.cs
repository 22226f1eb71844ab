using System.Globalization;
using System.Net;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>DOODS, as Home Assistant and its library pydoods ask it.</summary>
[Trait("Speed", "slow")]
[Collection(ContractServices.Collection)]
public sealed class DoodsTests(ContractServices services)
{
    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detectors_Listed_AreWhatHomeAssistantReads()
    {
        using var response = await services.Open.Client.GetAsync("detectors", Cancel);
        Assert.Equal(
            """
            {"detectors":[{"name":"default","type":"fpn","model":"blood-cells","labels":["RBC","WBC","Platelets"],
            "width":0,"height":0},{"name":"blood-cells","type":"fpn","model":"blood-cells",
            "labels":["RBC","WBC","Platelets"],"width":0,"height":0}]}
            """.ReplaceLineEndings(string.Empty),
            (await response.ReadJsonAsync()).GetRawText());
    }

    [Theory]
    [InlineData("""{"data": "$", "detector_name": "default", "detect": {"*": 0}, "id": ""}""", "")]
    [InlineData(
        """{"data": "$", "detector_name": "", "detect": {"*": 90.5}, "id": null}""",
        "RBC=90.5&WBC=90.5&Platelets=90.5")]
    [InlineData(
        """{"id": "a", "detect": {"RBC": 60, "*": 95}, "detector_name": "blood-cells", "data": "$"}""",
        "RBC=60&WBC=95&Platelets=95")]
    [InlineData("""{"data": "$", "detect": {"WBC": 0, "person": 1}, "image": "", "throttle": 5}""", "WBC=0")]
    public async Task Detect_EachForm_FindsWhatDetectFinds(string body, string thresholds)
    {
        using var response = await PostAsync(body.Replace("$", Image, StringComparison.Ordinal));
        var percents = thresholds.Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(threshold => threshold.Split('='))
            .ToDictionary(pair => pair[0], pair => double.Parse(pair[1], CultureInfo.InvariantCulture));
        var expected = (await services.DetectAsync())
            .Where(found => percents.Count == 0
                || (percents.TryGetValue(found.Label, out var least) && 100 * found.Score >= least));
        AssertDetections([.. expected], await response.ReadJsonAsync());
    }

    /// <summary>Home Assistant takes a member <c>error</c> for a failure, whatever its value.</summary>
    [Fact]
    public async Task Detect_Success_RepeatsTheIdAndHasNoError()
    {
        using var response = await PostAsync($$"""{"id": "é7", "detect": {"*": 50}, "data": "{{Image}}"}""");
        var answer = await response.ReadJsonAsync();
        Assert.Equal(["id", "detections"], answer.EnumerateObject().Select(member => member.Name));
        Assert.Equal("é7", answer.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"person": 0}""")]
    [InlineData("""{"*": 100.5}""")]
    public async Task Detect_NoThresholdIsReached_FindsNothing(string detect)
    {
        using var response = await PostAsync($$"""{"detect": {{detect}}, "data": "{{Image}}"}""");
        Assert.Equal("""{"detections":[]}""", (await response.ReadJsonAsync()).GetRawText());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Detect_Region_KeepsWhatItCoversOrTouches(bool covers)
    {
        const double Middle = 0.5;
        using var response = await PostAsync(
            $$"""
            {
              "data": "{{Image}}",
              "regions": [
                { "top": 0, "left": 0, "bottom": 1, "right": {{Middle}}, "covers": {{(covers ? "true" : "false")}},
                  "detect": { "RBC": 50 } },
                { "detect": { "Platelets": 1000 }, "id": "whole" }
              ]
            }
            """);
        var all = await services.DetectAsync();
        var expected = all.Where(found =>
            found.Label == "RBC" && found.Score >= 0.5 && found.Box[covers ? 2 : 0] / found.Width <= Middle).ToArray();
        Assert.InRange(expected.Length, 1, all.Length - 1);
        AssertDetections(expected, await response.ReadJsonAsync());
    }

    [Theory]
    [InlineData("""{"data": "no base64!", "detect": {"*": 50}}""", 400, "data: Is not base64")]
    [InlineData("""{"data": "http://example.com/a.jpg", "detect": {"*": 50}}""", 400, "data")]
    [InlineData("""{"data": "", "detect": {"*": 50}}""", 400, "data: Is empty.")]
    [InlineData("""{"data": 7}""", 400, "data: Must be a string")]
    [InlineData("""{"detect": {"*": 50}}""", 400, "data: Is missing")]
    [InlineData("""{"data": "AAAA", "detect": [50]}""", 400, "detect: Must be an object")]
    [InlineData("""{"data": "AAAA", "detect": {"*": "50"}}""", 400, "detect: Must be a number.")]
    [InlineData("""{"data": "AAAA", "regions": {"top": 0}}""", 400, "regions: Must be an array.")]
    [InlineData("""{"data": "AAAA", "regions": [7]}""", 400, "regions[0]: Must be an object.")]
    [InlineData("""{"data": "AAAA", "regions": [{"top": "0"}]}""", 400, "regions[0]: Must be a number.")]
    [InlineData("""{"data": "AAAA", "regions": [{"covers": 1}]}""", 400, "covers")]
    [InlineData("""{"data": "AAAA", "image": "jpeg"}""", 400, "format=image")]
    [InlineData("""{"data": "AAAA", "id": 7}""", 400, "id: Must be a string")]
    [InlineData("""{"data": "AAAA", "detector_name": "pets"}""", 404, "blood-cells")]
    [InlineData("""{"data": "bm90IGFuIGltYWdl"}""", 415, "data")]
    [InlineData("""["data"]""", 400, "JSON object")]
    [InlineData("", 400, "not valid JSON")]
    public async Task Detect_WrongBody_IsRefusedWithItsReason(string body, int status, string words)
    {
        using var response = await PostAsync(body);
        await response.AssertErrorAsync(status, words);
    }

    [Fact]
    public async Task Detect_HundredThousandOfAnything_IsRefused()
    {
        string[] bodies =
        [
            $$"""{"detect": { {{Many(i => $"\"label {i}\": 50")}} }, "data": "AAAA"}""",
            $$"""{"regions": [ {{Many(_ => "{}")}} ], "data": "AAAA"}""",
        ];
        foreach (var body in bodies)
        {
            using var response = await PostAsync(body);
            await response.AssertErrorAsync(400, "more than 10000 thresholds and regions");
        }

        using var images = await PostAsync($$"""{"data": [ {{Many(_ => "\"AAAA\"")}} ]}""");
        await images.AssertErrorAsync(400, "data: Must be a string");

        static string Many(Func<int, string> item) => string.Join(',', Enumerable.Range(0, 100_000).Select(item));
    }

    [Fact]
    public async Task Detect_DeepJson_IsRefused()
    {
        using var response = await PostAsync(
            $$"""{"preprocess": {{new string('[', 100_000)}}{{new string(']', 100_000)}}, "data": "AAAA"}""");
        await response.AssertErrorAsync(400, "not valid JSON");
    }

    /// <summary>The path is the service's own as well: only JSON is a request of DOODS.</summary>
    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("application/octet-stream")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public async Task Detect_PictureWhileDoodsIsOn_IsTheServicesOwn(string? type)
    {
        using var response = await services.Open.Client.PostDetectAsync(ContractServices.Sample, "", type);
        Assert.Equal("blood-cells", (await response.ReadDetectionAsync()).GetProperty("model").GetString());
        using var wrong = await services.Open.Client.PostDetectAsync([1, 2, 3], "", type);
        await ProblemBody.AssertAsync(wrong, HttpStatusCode.UnsupportedMediaType, "unsupported-image-format");
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("APPLICATION/JSON")]
    public async Task Detect_JsonHoweverItIsWritten_IsOfDoods(string type)
    {
        using var response = await services.Open.Client.PostJsonAsync("detect", "{}", type);
        await response.AssertErrorAsync(400, "data: Is missing");
    }

    [Fact]
    public async Task Detect_JsonWhileDoodsIsOff_Is415()
    {
        using var service = new RunningService(("Fpn:Compatibility:Served", "cvat"));
        using var response = await service.Client.PostJsonAsync("detect", $$"""{"data": "{{Image}}"}""");
        await ProblemBody.AssertAsync(
            response, HttpStatusCode.UnsupportedMediaType, "unsupported-image-format");
    }

    /// <summary>A document has room for one operation at a path: both requests and answers stand in it.</summary>
    [Fact]
    public async Task Document_SharedPath_DescribesBoth()
    {
        var text = await services.Open.Client.GetStringAsync("swagger/v1/swagger.json", Cancel);
        using var document = JsonDocument.Parse(text);
        var detect = document.RootElement.GetProperty("paths").GetProperty("/detect").GetProperty("post");
        Assert.Equal("detect", detect.GetProperty("operationId").GetString());
        var bodies = detect.GetProperty("requestBody").GetProperty("content");
        Assert.True(bodies.TryGetProperty("image/jpeg", out _));
        var example = bodies.GetProperty("application/json").GetProperty("example");
        Assert.Equal("default", example.GetProperty("detector_name").GetString());
        var answers = detect.GetProperty("responses").GetProperty("200").GetProperty("content")
            .GetProperty("application/json").GetProperty("examples");
        Assert.True(answers.GetProperty("own").GetProperty("value").TryGetProperty("modelVersion", out _));
        Assert.True(answers.GetProperty("doods").GetProperty("value")
            .GetProperty("detections")[0].TryGetProperty("confidence", out _));
    }

    [Theory]
    [InlineData("doods-auth-key", null, 401, "X-Api-Key")]
    [InlineData("doods-auth-key", "wrong-key", 401, "not valid")]
    [InlineData("doods-auth-key", KeyFile.Alice, 200, null)]
    [InlineData("X-Api-Key", KeyFile.Alice, 200, null)]
    public async Task Keys_InTheirHeader_AreAskedFor(string header, string? key, int status, string? words)
    {
        using var detect = new HttpRequestMessage(HttpMethod.Post, "detect");
        detect.Content = new StringContent($$"""{"detect": {"*": 0}, "data": "{{Image}}"}""", null, "application/json");
        using var list = new HttpRequestMessage(HttpMethod.Get, "detectors");
        foreach (var request in (HttpRequestMessage[])[detect, list])
        {
            if (key is not null)
            {
                request.Headers.Add(header, key);
            }

            using var response = await services.Guarded.Client.SendAsync(request, Cancel);
            if (words is null)
            {
                await response.ReadJsonAsync(status);
            }
            else
            {
                await response.AssertErrorAsync(status, words);
            }
        }
    }

    private Task<HttpResponseMessage> PostAsync(string body) => services.Open.Client.PostJsonAsync("detect", body);

    private static void AssertDetections(FoundObject[] expected, JsonElement answer)
    {
        Assert.NotEmpty(expected);
        var detections = answer.GetProperty("detections").EnumerateArray().ToArray();
        Assert.Equal(
            expected.Select(found => (found.Label, Math.Round(100 * found.Score, 3))),
            detections.Select(found =>
                (found.GetProperty("label").GetString()!, found.GetProperty("confidence").GetDouble())));
        foreach (var (found, detection) in expected.Zip(detections))
        {
            double[] box =
            [
                detection.GetProperty("left").GetDouble() * found.Width,
                detection.GetProperty("top").GetDouble() * found.Height,
                detection.GetProperty("right").GetDouble() * found.Width,
                detection.GetProperty("bottom").GetDouble() * found.Height,
            ];
            Assert.All(found.Box.Zip(box), pair => Assert.Equal(pair.First, pair.Second, 0.001));
        }
    }
}
