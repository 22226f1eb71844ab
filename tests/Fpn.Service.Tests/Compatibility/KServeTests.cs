using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Compatibility;

/// <summary>KServe's first protocol and TensorFlow Serving's, in the forms that their clients send.</summary>
[Collection(ContractServices.Collection)]
public sealed class KServeTests(ContractServices services)
{
    private const string Predict = "v1/models/blood-cells:predict";

    private static readonly string Image = ContractCalls.Base64(ContractServices.Sample);

    private HttpClient Client => services.Open.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"instances": [{"b64": "$"}]}""", "predictions")]
    [InlineData("""{"signature_name": "serving_default", "instances": [{"image": {"b64": "$"}}]}""", "predictions")]
    [InlineData("""{"instances": ["$"]}""", "predictions")]
    [InlineData("""{"instances": ["data:image/jpeg;base64,$"]}""", "predictions")]
    [InlineData("""{"inputs": {"image": [{"b64": "$"}]}}""", "outputs")]
    [InlineData("""{"inputs": [{"b64": "$"}]}""", "outputs")]
    [InlineData("""{"inputs": {"b64": "$"}}""", "outputs")]
    public async Task Predict_EachForm_FindsWhatDetectFinds(string body, string member)
    {
        using var response = await Client.PostJsonAsync(Predict, body.Replace("$", Image, StringComparison.Ordinal));
        var answer = await response.ReadJsonAsync();
        AssertPrediction(await services.DetectAsync(), Assert.Single(answer.GetProperty(member).EnumerateArray()));
    }

    /// <summary>As the guide of TensorFlow Serving does it with curl.</summary>
    [Fact]
    public async Task Predict_ContentTypeOfCurl_IsRead()
    {
        using var response = await Client.PostJsonAsync(
            Predict, $$"""{"instances": [{"b64": "{{Image}}"}]}""", "application/x-www-form-urlencoded");
        await response.ReadJsonAsync();
    }

    [Fact]
    public async Task Predict_TwoImagesOfAVersion_AreAnsweredInOrder()
    {
        var black = ContractCalls.Base64(MadePng.OnePixel());
        using var response = await Client.PostJsonAsync(
            "v1/models/blood-cells/versions/1:predict",
            $$"""{"instances": [{"b64": "{{black}}"}, {"b64": "{{Image}}"}]}""");
        var predictions = (await response.ReadJsonAsync()).GetProperty("predictions").EnumerateArray().ToArray();
        Assert.Equal(2, predictions.Length);
        Assert.NotEqual(predictions[0].GetRawText(), predictions[1].GetRawText());
        AssertPrediction(await services.DetectAsync(), predictions[1]);
    }

    [Fact]
    public async Task Predict_Parameters_ChooseDetections()
    {
        using var response = await Client.PostJsonAsync(
            Predict,
            $$"""{"instances": ["{{Image}}"], "parameters": {"confidenceThreshold": 0.9, "maxPredictions": 2} }""");
        AssertPrediction(
            await services.DetectAsync("scoreThreshold=0.9&maxDetections=2"),
            (await response.ReadJsonAsync()).GetProperty("predictions")[0]);
    }

    [Fact]
    public async Task Models_Listed_AreReadyInBothForms()
    {
        using var list = await Client.GetAsync("v1/models", Cancel);
        Assert.Equal("""{"models":["blood-cells"]}""", (await list.ReadJsonAsync()).GetRawText());
        foreach (var path in (string[])["v1/models/blood-cells", "v1/models/blood-cells/versions/1"])
        {
            using var model = await Client.GetAsync(path, Cancel);
            Assert.Equal(
                """
                {"name":"blood-cells","ready":true,"model_version_status":[{"version":"1","state":"AVAILABLE",
                "status":{"error_code":"OK","error_message":""}}]}
                """.ReplaceLineEndings(string.Empty),
                (await model.ReadJsonAsync()).GetRawText());
        }
    }

    [Theory]
    [InlineData("""{"instances": []}""", 400, "instances")]
    [InlineData("""{"instances": {"b64": "AAAA"}}""", 400, "Must be an array")]
    [InlineData("""{"instances": [{"b64": "no base64!"}]}""", 400, "instances[0]")]
    [InlineData("""{"instances": [{"b64": ""}]}""", 400, "instances[0]: Is empty.")]
    [InlineData("""{"instances": [{"a": "AAAA", "b": "AAAA"}]}""", 400, "Must be one image")]
    [InlineData("""{"instances": [[1, 2, 3]]}""", 400, "Must be one image")]
    [InlineData("""{"instances": [{"b64": "bm90IGFuIGltYWdl"}]}""", 415, "instances[0]")]
    [InlineData("""{"instances": ["AAAA"], "parameters": {"confidenceThreshold": 7}}""", 400, "confidenceThreshold")]
    [InlineData("""["instances"]""", 400, "JSON object")]
    [InlineData("""{"instances": [""", 400, "not valid JSON")]
    [InlineData("", 400, "not valid JSON")]
    public async Task Predict_WrongBody_IsRefusedWithItsReason(string body, int status, string words)
    {
        using var response = await Client.PostJsonAsync(Predict, body);
        await response.AssertErrorAsync(status, words);
    }

    [Fact]
    public async Task Predict_HundredThousandInstances_AreRefusedByTheirNumber()
    {
        var body = $$"""{"instances": [{{string.Join(',', Enumerable.Repeat("\"AAAA\"", 100_000))}}]}""";
        using var response = await Client.PostJsonAsync(Predict, body);
        await response.AssertErrorAsync(413, "more than 64 images");
    }

    [Fact]
    public async Task Predict_DeepJson_IsRefused()
    {
        var body = $$"""{"x": {{new string('[', 100_000)}}{{new string(']', 100_000)}}, "instances": ["AAAA"]}""";
        using var response = await Client.PostJsonAsync(Predict, body);
        await response.AssertErrorAsync(400, "not valid JSON");
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("multipart/form-data; boundary=b")]
    public async Task Predict_OtherContentType_Is415(string type)
    {
        using var response = await Client.PostJsonAsync(Predict, "x", type);
        await response.AssertErrorAsync(415, "must be JSON");
    }

    [Theory]
    [InlineData("v1/models/pets:predict")]
    [InlineData("v1/models/blood-cells/versions/2:predict")]
    public async Task Predict_ModelThatIsNotServed_Is404(string path)
    {
        using var response = await Client.PostJsonAsync(path, """{"instances": ["AAAA"]}""");
        await response.AssertErrorAsync(404, "blood-cells");
    }

    [Fact]
    public async Task Predict_ServiceWithKeys_AsksForOne()
    {
        var client = services.Guarded.Client;
        var body = $$"""{"instances": ["{{Image}}"]}""";
        using var without = await client.PostJsonAsync(Predict, body);
        await without.AssertErrorAsync(401, "X-Api-Key");
        using var request = new HttpRequestMessage(HttpMethod.Post, Predict) { Content = new StringContent(body) };
        request.Headers.Authorization = new("Bearer", KeyFile.Alice);
        using var with = await client.SendAsync(request, Cancel);
        AssertPrediction(
            await services.DetectAsync(), (await with.ReadJsonAsync()).GetProperty("predictions")[0]);
    }

    /// <summary>Boxes are parts of the image with six decimals: exact to a thousandth of a pixel here.</summary>
    private static void AssertPrediction(FoundObject[] expected, JsonElement prediction)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, prediction.GetProperty("num_detections").GetInt32());
        Assert.Equal(expected.Select(found => found.Score), Numbers("detection_scores"));
        Assert.Equal(expected.Select(found => (double)found.ClassId), Numbers("detection_classes"));
        Assert.Equal(
            expected.Select(found => found.Label),
            prediction.GetProperty("detection_class_labels").EnumerateArray().Select(label => label.GetString()!));
        var boxes = prediction.GetProperty("detection_boxes").EnumerateArray().ToArray();
        foreach (var (found, box) in expected.Zip(boxes))
        {
            double[] sides = [.. box.EnumerateArray().Select(side => side.GetDouble())];
            double[] pixels =
                [sides[1] * found.Width, sides[0] * found.Height, sides[3] * found.Width, sides[2] * found.Height];
            Assert.All(found.Box.Zip(pixels), pair => Assert.Equal(pair.First, pair.Second, 0.001));
        }

        double[] Numbers(string member) =>
            [.. prediction.GetProperty(member).EnumerateArray().Select(number => number.GetDouble())];
    }
}
