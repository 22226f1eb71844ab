using System.Globalization;
using System.Text;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>DeepStack's vision API, in the forms that Frigate and deepstack-python send and read.</summary>
[Trait("Speed", "slow")]
[Collection(ContractServices.Collection)]
public sealed class DeepStackTests(ContractServices services)
{
    private const string Detection = "v1/vision/detection";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Requests writes text fields first, and a file that is only bytes gets its field's name.</summary>
    [Theory]
    [InlineData(Detection)]
    [InlineData("v1/vision/custom/blood-cells")]
    public async Task Detection_AsFrigateAsks_FindsWhatDetectFinds(string path)
    {
        using var response = await PostAsync(services.Open, path, Text("api_key", ""), Image());
        var answer = await response.ReadJsonAsync();
        var expected = await services.DetectAsync("scoreThreshold=0.4&maxDetections=20");
        AssertPredictions(expected, answer);
        Assert.True(answer.GetProperty("success").GetBoolean());
        Assert.Equal(200, answer.GetProperty("code").GetInt32());
        Assert.Equal(
            $"Found {string.Join(", ", expected.Select(found => found.Label).Distinct())}",
            answer.GetProperty("message").GetString());
        Assert.Equal("detect", answer.GetProperty("command").GetString());
        Assert.Equal("CPU", answer.GetProperty("executionProvider").GetString());
        Assert.False(answer.GetProperty("canUseGPU").GetBoolean());
        Assert.Equal("Fpn.Service", answer.GetProperty("moduleId").GetString());
        Assert.Equal("Fpn.Service", answer.GetProperty("moduleName").GetString());
        foreach (var time in (string[])["inferenceMs", "processMs", "analysisRoundTripMs"])
        {
            Assert.True(answer.GetProperty(time).GetInt64() >= 0);
        }

        Assert.True(DateTimeOffset.TryParseExact(
            answer.GetProperty("timestampUTC").GetString(), "R", CultureInfo.InvariantCulture, 0, out _));
    }

    [Theory]
    [InlineData("0.9")]
    [InlineData("0.00")]
    public async Task Detection_MinConfidence_MayStandAnywhere(string confidence)
    {
        var expected = await services.DetectAsync($"scoreThreshold={confidence}&maxDetections=20");
        using var after = await PostAsync(
            services.Open, Detection, Image(), Text("min_confidence", confidence), Text("mode", "fast"));
        AssertPredictions(expected, await after.ReadJsonAsync());
        using var before = await PostAsync(services.Open, Detection, Text("min_confidence", confidence), Image());
        AssertPredictions(expected, await before.ReadJsonAsync());
    }

    /// <summary>Frigate has room for 20, ends at the first score below 0.4, and at the first label it lacks.</summary>
    [Fact]
    public async Task Detection_Settings_ChooseWhatFrigateReads()
    {
        using var service = new RunningService(
            ("Fpn:Compatibility:Served", "deepstack"),
            ("Fpn:Compatibility:DeepStack:MaxDetections", "3"),
            ("Fpn:Compatibility:DeepStack:Labels", "person, rbc"));
        using var response = await PostAsync(service, Detection, Image());
        var expected = (await services.DetectAsync("scoreThreshold=0.4")).Where(found => found.Label == "RBC").Take(3);
        AssertPredictions([.. expected], await response.ReadJsonAsync());
    }

    [Fact]
    public async Task Detection_NothingFound_IsAnEmptyList()
    {
        using var response = await PostAsync(services.Open, Detection, Image(), Text("min_confidence", "1"));
        var answer = await response.ReadJsonAsync();
        Assert.Equal(0, answer.GetProperty("predictions").GetArrayLength());
        Assert.Equal("No objects found", answer.GetProperty("message").GetString());
    }

    [Fact]
    public async Task List_WithAndWithoutAForm_NamesTheModels()
    {
        using var form = await PostAsync(services.Open, "v1/vision/custom/list", Text("api_key", ""));
        using var empty = await services.Open.Client.PostAsync("v1/vision/custom/list", null, Cancel);
        foreach (var response in (HttpResponseMessage[])[form, empty])
        {
            var answer = await response.ReadJsonAsync();
            Assert.True(answer.GetProperty("success").GetBoolean());
            Assert.Equal("""["blood-cells"]""", answer.GetProperty("models").GetRawText());
            Assert.Equal("list-custom", answer.GetProperty("command").GetString());
        }
    }

    [Fact]
    public async Task Detection_WrongForms_AreRefusedWithTheirReason()
    {
        await AssertRefusedAsync(400, "has no part 'image'", Text("min_confidence", "0.5"));
        await AssertRefusedAsync(400, "more than one image", Image(), Image());
        await AssertRefusedAsync(400, "min_confidence", Image(), Text("min_confidence", "40"));
        await AssertRefusedAsync(400, "min_confidence", Image(), Text("min_confidence", "NaN"));
        await AssertRefusedAsync(400, "min_confidence", Image(), Text("min_confidence", ""));
        await AssertRefusedAsync(
            400, "Is given twice", Image(), Text("min_confidence", "0.5"), Text("min_confidence", "0.5"));
        await AssertRefusedAsync(400, "longer than 1024", Image(), Text("min_confidence", new string('0', 1025)));
        await AssertRefusedAsync(400, "empty", ("image", []));
        await AssertRefusedAsync(415, "image", ("image", "not an image"u8.ToArray()));
        await AssertRefusedAsync(
            400, "more than 32 parts", [.. Enumerable.Range(0, 100_000).Select(i => Text($"field{i}", "x"))]);
    }

    /// <summary>What is skipped counts as well: fields that are unknown are no way around the limit.</summary>
    [Fact]
    public async Task Detection_EndlessUnknownField_IsRefusedBySize()
    {
        using var service = new RunningService(
            ("Fpn:Compatibility:Served", "deepstack"), ("Fpn:Limits:MaxImageBytes", "100000"));
        using var form = Form(("padding", new byte[300_000]), Image());
        using var request = new HttpRequestMessage(HttpMethod.Post, Detection) { Content = form };
        request.Headers.TransferEncodingChunked = true;
        using var response = await service.Client.SendAsync(request, Cancel);
        await AssertErrorAsync(response, 413, "100000 bytes");
    }

    [Theory]
    [InlineData("image/jpeg", 400, "not a form")]
    [InlineData("application/json", 400, "not a form")]
    [InlineData("multipart/form-data", 400, "boundary")]
    [InlineData("multipart/form-data; boundary=b", 400, "cut off")]
    public async Task Detection_NotAForm_IsRefused(string type, int status, string words)
    {
        using var response = await services.Open.Client.PostJsonAsync(Detection, "{}", type);
        await AssertErrorAsync(response, status, words);
    }

    [Fact]
    public async Task Detection_ModelThatIsNotServed_Is404()
    {
        using var response = await PostAsync(services.Open, "v1/vision/custom/pets", Image());
        await AssertErrorAsync(response, 404, "blood-cells");
    }

    [Theory]
    [InlineData(Detection)]
    [InlineData("v1/vision/custom/list")]
    public async Task Keys_InTheForm_AreAskedFor(string path)
    {
        using var without = await PostAsync(services.Guarded, path, Image());
        await AssertErrorAsync(without, 401, "X-Api-Key");
        using var empty = await PostAsync(services.Guarded, path, Text("api_key", ""), Image());
        await AssertErrorAsync(empty, 401, "X-Api-Key");
        using var wrong = await PostAsync(services.Guarded, path, Text("api_key", "wrong-key"), Image());
        await AssertErrorAsync(wrong, 401, "not valid");
        using var before = await PostAsync(services.Guarded, path, Text("api_key", KeyFile.Alice), Image());
        await before.ReadJsonAsync();
        using var after = await PostAsync(services.Guarded, path, Image(), Text("api_key", KeyFile.Alice));
        await after.ReadJsonAsync();
    }

    private static (string Name, byte[] Bytes) Image() => ("image", ContractServices.Sample);

    private static (string Name, byte[] Bytes) Text(string name, string text) =>
        (name, Encoding.UTF8.GetBytes(text));

    private static MultipartFormDataContent Form(params (string Name, byte[] Bytes)[] parts)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, bytes) in parts)
        {
            var content = new ByteArrayContent(bytes);
            if (name == "image")
            {
                form.Add(content, name, name);
            }
            else
            {
                form.Add(content, name);
            }
        }

        return form;
    }

    private static async Task<HttpResponseMessage> PostAsync(
        RunningService service, string path, params (string Name, byte[] Bytes)[] parts)
    {
        using var form = Form(parts);
        return await service.Client.PostAsync(path, form, Cancel);
    }

    private async Task AssertRefusedAsync(int status, string words, params (string Name, byte[] Bytes)[] parts)
    {
        using var response = await PostAsync(services.Open, Detection, parts);
        await AssertErrorAsync(response, status, words);
    }

    private static void AssertPredictions(FoundObject[] expected, JsonElement answer)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, answer.GetProperty("count").GetInt32());
        Assert.Equal(
            expected.Select(found => (found.Label, found.Score)),
            answer.GetProperty("predictions").EnumerateArray().Select(prediction =>
                (prediction.GetProperty("label").GetString()!, prediction.GetProperty("confidence").GetDouble())));
        foreach (var (found, prediction) in expected.Zip(answer.GetProperty("predictions").EnumerateArray()))
        {
            double[] box =
            [
                prediction.GetProperty("x_min").GetInt32(), prediction.GetProperty("y_min").GetInt32(),
                prediction.GetProperty("x_max").GetInt32(), prediction.GetProperty("y_max").GetInt32(),
            ];
            Assert.All(found.Box.Zip(box), pair => Assert.Equal(pair.First, pair.Second, 0.501));
        }
    }

    private static async Task AssertErrorAsync(HttpResponseMessage response, int status, string words)
    {
        var error = await response.ReadJsonAsync(status);
        Assert.Equal(["success", "error", "code"], error.EnumerateObject().Select(member => member.Name));
        Assert.False(error.GetProperty("success").GetBoolean());
        Assert.Equal(status, error.GetProperty("code").GetInt32());
        Assert.Contains(words, error.GetProperty("error").GetString(), StringComparison.Ordinal);
    }
}
