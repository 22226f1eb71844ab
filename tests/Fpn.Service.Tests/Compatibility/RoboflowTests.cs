using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>The API of <c>inference_sdk</c>, in the order in which it calls it.</summary>
[Collection(ContractServices.Collection)]
public sealed class RoboflowTests(ContractServices services)
{
    private const string Infer = "infer/object_detection";

    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private HttpClient Client => services.Open.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Registry_Always_ListsModelsWithTheirVersion()
    {
        using var listed = await Client.GetAsync("model/registry?api_key=", Cancel);
        var model = Assert.Single((await listed.ReadJsonAsync()).GetProperty("models").EnumerateArray());
        Assert.Equal("blood-cells/1", model.GetProperty("model_id").GetString());
        Assert.Equal("object-detection", model.GetProperty("task_type").GetString());
        using var added = await Client.PostJsonAsync(
            "model/add", """{"model_id": "blood-cells/1", "api_key": null}""");
        Assert.Equal(
            model.GetRawText(), (await added.ReadJsonAsync()).GetProperty("models")[0].GetRawText());
    }

    [Fact]
    public async Task Infer_OneImage_FindsWhatDetectFinds()
    {
        using var response = await Client.PostJsonAsync(Infer, Body("blood-cells/1", Picture()));
        AssertFound(await services.DetectAsync(), await response.ReadJsonAsync());
    }

    [Fact]
    public async Task Infer_List_IsAnsweredWithAList()
    {
        using var response = await Client.PostJsonAsync(Infer, Body("blood-cells", $"[{Picture()}, {Picture()}]"));
        var answers = (await response.ReadJsonAsync()).EnumerateArray().ToArray();
        Assert.Equal(2, answers.Length);
        var expected = await services.DetectAsync();
        Assert.All(answers, answer => AssertFound(expected, answer));
    }

    [Fact]
    public async Task Infer_Choices_ChooseDetections()
    {
        using var response = await Client.PostJsonAsync(
            Infer,
            Body(
                "blood-cells/1",
                Picture(),
                """, "confidence": 0.9, "max_detections": 3, "class_filter": ["RBC"], "iou_threshold": null"""));
        AssertFound(
            await services.DetectAsync("scoreThreshold=0.9&maxDetections=3&label=RBC"), await response.ReadJsonAsync());
    }

    [Fact]
    public async Task Infer_Visualize_SendsThePicture()
    {
        using var response = await Client.PostJsonAsync(
            Infer, Body("blood-cells/1", Picture(), ", \"visualize_predictions\": true"));
        var picture = (await response.ReadJsonAsync()).GetProperty("visualization").GetBytesFromBase64();
        Assert.Equal([0xFF, 0xD8], picture[..2]);
    }

    [Theory]
    [InlineData("""{"model_id": "blood-cells/1", "image": {"type": "numpy", "value": "gASV"}}""", 400, "pickle")]
    [InlineData("""{"model_id": "blood-cells/1", "image": {"type": "base64", "value": "!!!"}}""", 400, "base64")]
    [InlineData("""{"model_id": "blood-cells/1", "image": {"type": "base64"}}""", 400, "value")]
    [InlineData("""{"model_id": "blood-cells/1", "image": "AAAA"}""", 400, "image")]
    [InlineData("""{"model_id": "blood-cells/1", "image": []}""", 400, "image")]
    [InlineData("""{"model_id": "blood-cells/1"}""", 400, "image")]
    [InlineData("""{"model_id": "blood-cells/7", "image": {"type": "base64", "value": "AAAA"}}""", 404, "7")]
    [InlineData("""{"model_id": "pets/1", "image": {"type": "base64", "value": "AAAA"}}""", 404, "pets")]
    [InlineData(
        """{"model_id": "blood-cells/1", "image": {"type": "url", "value": "http://a.example.com/b.jpg"}}""",
        400,
        "Fpn:Fetch:Hosts")]
    [InlineData(
        """{"class_filter": ["dog"], "image": {"type": "base64", "value": "AAAA"}}""", 400, "'dog' is not a label")]
    [InlineData("""{"class_filter": 7, "image": {"type": "base64", "value": "AAAA"}}""", 400, "class_filter")]
    [InlineData("""{"confidence": 70, "image": {"type": "base64", "value": "AAAA"}}""", 400, "confidence")]
    public async Task Infer_WrongBody_IsRefusedInItsForm(string body, int status, string words)
    {
        using var response = await Client.PostJsonAsync(Infer, body);
        var error = await response.ReadJsonAsync(status);
        Assert.Contains(words, error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Infer_HundredThousandImages_AreRefusedByTheirNumber()
    {
        var one = """{"type":"base64","value":"AAAA"}""";
        using var response = await Client.PostJsonAsync(
            Infer, Body("blood-cells", $"[{string.Join(',', Enumerable.Repeat(one, 100_000))}]"));
        Assert.Contains(
            "more than 64 images",
            (await response.ReadJsonAsync(413)).GetProperty("message").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", KeyFile.Alice, 200)]
    [InlineData("?api_key=" + KeyFile.Alice, null, 200)]
    [InlineData("", KeyFile.Bob, 401)]
    [InlineData("?api_key=" + KeyFile.Bob, KeyFile.Alice, 401)]
    [InlineData("", "", 401)]
    [InlineData("", null, 401)]
    public async Task Infer_ServiceWithKeys_TakesItFromBodyOrQuery(string query, string? inBody, int status)
    {
        var key = inBody is null ? "" : $", \"api_key\": \"{inBody}\"";
        using var response = await services.Guarded.Client.PostJsonAsync(
            Infer + query, Body("blood-cells/1", Picture(), key));
        await response.ReadJsonAsync(status);
        using var added = await services.Guarded.Client.PostJsonAsync(
            "model/add" + query, $$"""{"model_id": "blood-cells/1" {{key}} }""");
        await added.ReadJsonAsync(status);
    }

    [Fact]
    public async Task Registry_ServiceWithKeysWithoutOne_Is401()
    {
        using var without = await services.Guarded.Client.GetAsync("model/registry", Cancel);
        await without.ReadJsonAsync(401);
        using var with = await services.Guarded.Client.GetAsync("model/registry?api_key=" + KeyFile.Alice, Cancel);
        await with.ReadJsonAsync();
    }

    private static string Picture() => $$"""{"type": "base64", "value": "{{Image}}"}""";

    private static string Body(string model, string image, string more = "") =>
        $$"""{"model_id": "{{model}}", "image": {{image}}{{more}} }""";

    /// <summary>Boxes by their center.</summary>
    private static void AssertFound(FoundObject[] expected, JsonElement answer)
    {
        var found = answer.GetProperty("predictions").EnumerateArray().ToArray();
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, found.Length);
        Assert.Equal(expected[0].Width, answer.GetProperty("image").GetProperty("width").GetInt32());
        Assert.Equal(expected[0].Height, answer.GetProperty("image").GetProperty("height").GetInt32());
        foreach (var (wanted, one) in expected.Zip(found))
        {
            var (x, y) = (one.GetProperty("x").GetDouble(), one.GetProperty("y").GetDouble());
            var (width, height) = (one.GetProperty("width").GetDouble(), one.GetProperty("height").GetDouble());
            double[] corners = [x - width / 2, y - height / 2, x + width / 2, y + height / 2];
            Assert.All(wanted.Box.Zip(corners), pair => Assert.Equal(pair.First, pair.Second, 0.0011));
            Assert.Equal(wanted.Label, one.GetProperty("class").GetString());
            Assert.Equal(wanted.ClassId, one.GetProperty("class_id").GetInt32());
            Assert.Equal(wanted.Score, one.GetProperty("confidence").GetDouble());
            Assert.True(one.GetProperty("detection_id").TryGetGuid(out _));
        }
    }
}
