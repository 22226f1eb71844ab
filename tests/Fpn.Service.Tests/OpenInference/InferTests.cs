using System.Net;
using System.Text;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>Inference as the protocol and its binary extension want it: each test is one of their rules.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class InferTests(ServiceFixture fixture)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);
    private static readonly byte[] Strip = MadeImages.Read("strip-240x1600.jpg");

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Infer_Sample_GivesWhatDetectGives()
    {
        var expected = (await Client.DetectAsync(Sample)).GetProperty("detections").EnumerateArray().ToArray();
        var answer = await Client.InferAsync(InferCall.Json([Sample]));

        Assert.NotEmpty(expected);
        Assert.Equal(expected.Length, answer.Count);
        var (boxes, scores) = (answer.Floats("boxes"), answer.Floats("scores"));
        for (var i = 0; i < expected.Length; i++)
        {
            // Not rounded here, rounded there: five decimals of scores, three of coordinates.
            Assert.Equal(expected[i].GetProperty("score").GetDouble(), Math.Round((double)scores[i], 5));
            var box = expected[i].GetProperty("box");
            Assert.Equal(
                ((string[])["x1", "y1", "x2", "y2"]).Select(side => box.GetProperty(side).GetDouble()),
                boxes[(4 * i)..(4 * i + 4)].Select(value => Math.Round((double)value, 3)));
        }

        Assert.Equal(
            expected.Select(detection => detection.GetProperty("classId").GetInt64()), answer.Integers("labels"));
        Assert.All(answer.Integers("image_index"), index => Assert.Equal(0, index));
    }

    [Fact]
    public async Task Response_NoOutputsAsked_HasAllFourWithShapesAsJson()
    {
        var answer = await Client.InferAsync(InferCall.Json([Sample]));
        Assert.Equal(["boxes", "scores", "labels", "image_index"], answer.Names);
        Assert.Equal($"[{answer.Count},4]", answer.Output("boxes").GetProperty("shape").GetRawText());
        Assert.All(
            ["scores", "labels", "image_index"],
            name => Assert.Equal($"[{answer.Count}]", answer.Output(name).GetProperty("shape").GetRawText()));
        Assert.All(
            answer.Names, name => Assert.Equal(["name", "datatype", "shape", "data"], Members(answer.Output(name))));
        Assert.Empty(answer.Binary);
    }

    [Fact]
    public async Task Response_Always_NamesModelAndVersion()
    {
        var answer = await Client.InferAsync(InferCall.Json([Sample]));
        Assert.Equal(["model_name", "model_version", "outputs"], Members(answer.Json));
        Assert.Equal("blood-cells", answer.Json.GetProperty("model_name").GetString());
        Assert.Equal("1", answer.Json.GetProperty("model_version").GetString());
    }

    [Theory]
    [InlineData("\"42\"", "42")]
    [InlineData("\"\"", "")]
    [InlineData("\"\\u00e9 \\\"quoted\\\" \\ud83d\\ude00\"", "é \"quoted\" 😀")]
    public async Task Id_Given_IsEchoed(string json, string id)
    {
        var answer = await Client.InferAsync(InferCall.Json([Sample], $", \"id\": {json}"));
        Assert.Equal(id, answer.Json.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Id_GivenWithBinaryOutputs_IsEchoed()
    {
        using var response = await Client.PostBinaryAsync(
            [Sample], """, "id": "b", "parameters": {"binary_data_output": true}""");
        Assert.Equal("b", (await response.ReadInferAsync()).Json.GetProperty("id").GetString());
    }

    [Fact]
    public async Task Version_TheLoadedOne_Answers()
    {
        using var response = await Client.PostInferAsync(
            InferCall.Json([Sample]), "v2/models/blood-cells/versions/1/infer");
        Assert.Equal("1", (await response.ReadInferAsync()).Json.GetProperty("model_version").GetString());
    }

    [Theory]
    [InlineData("v2/models/blood-cells/versions/2/infer")]
    [InlineData("v2/models/blood-cells/versions/1.0/infer")]
    [InlineData("v2/models/nobody/infer")]
    [InlineData("v2/models/nobody/versions/1/infer")]
    public async Task Version_Other_Is404(string path)
    {
        using var response = await Client.PostInferAsync(InferCall.Json([Sample]), path);
        await response.ErrorAsync(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Data_FlatNestedAndBinary_MeanTheSame()
    {
        var flat = await Client.InferAsync(InferCall.Json([Strip, Sample]));
        Assert.Contains(1L, flat.Integers("image_index"));
        var (first, second) = (InferCall.Base64(Strip), InferCall.Base64(Sample));
        string[] nestings =
        [
            $"[{first}], [{second}]", $"[{first}, {second}]", $"[[{first}], [{second}]]",
            $"[], [{first}, {second}], []",
        ];
        foreach (var nested in nestings)
        {
            var answer = await Client.InferAsync(
                $$"""{"inputs": [{"data": [{{nested}}], "datatype": "BYTES", "shape": [2], "name": "image"}]}""");
            AssertSame(flat, answer);
        }

        using var response = await Client.PostBinaryAsync([Strip, Sample]);
        AssertSame(flat, await response.ReadInferAsync());
    }

    [Fact]
    public async Task Data_EscapedBase64_IsRead()
    {
        // Some writers escape the slash, some the plus.
        var base64 = InferCall.Base64(Sample);
        Assert.Contains('/', base64);
        Assert.Contains('+', base64);
        var escaped =
            base64.Replace("/", "\\/", StringComparison.Ordinal).Replace("+", "\\u002B", StringComparison.Ordinal);
        AssertSame(
            await Client.InferAsync(InferCall.Json([Sample])),
            await Client.InferAsync(
                $$"""{"inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "data": [{{escaped}}]}]}"""));
    }

    [Fact]
    public async Task Batch_SeveralImages_AreAnsweredInOrderWithTheirIndex()
    {
        var names = MadeImages.All.Take(3).ToArray();
        byte[][] images = [Sample, .. names.Select(MadeImages.Read), Sample];
        var alone = new List<InferAnswer>();
        foreach (var image in images)
        {
            alone.Add(await Client.InferAsync(InferCall.Json([image])));
        }

        using var response = await Client.PostBinaryAsync(images);
        var together = await response.ReadInferAsync();

        Assert.Equal(alone.Sum(answer => answer.Count), together.Count);
        Assert.Equal(
            alone.SelectMany((answer, index) => Enumerable.Repeat((long)index, answer.Count)),
            together.Integers("image_index"));
        Assert.Equal(alone.SelectMany(answer => answer.Integers("labels")), together.Integers("labels"));

        // Batches may change the last bits of the graphs' sums.
        var (expected, scores) = (
            alone.SelectMany(answer => answer.Floats("scores")).ToArray(), together.Floats("scores"));
        Assert.All(expected.Zip(scores), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        var (corners, boxes) = (alone.SelectMany(answer => answer.Floats("boxes")).ToArray(), together.Floats("boxes"));
        Assert.All(corners.Zip(boxes), pair => Assert.Equal(pair.First, pair.Second, 0.05));
    }

    [Fact]
    public async Task BinaryDataOutput_True_SendsAllOutputsAsBinary()
    {
        var json = await Client.InferAsync(InferCall.Json([Sample]));
        var binary = await Client.InferAsync(
            InferCall.Json([Sample], """, "parameters": {"binary_data_output": true}"""));
        Assert.Equal(json.Names, binary.Names);
        Assert.All(
            binary.Names,
            name => Assert.Equal(["name", "datatype", "shape", "parameters"], Members(binary.Output(name))));
        Assert.Equal(json.Count * (16 + 4 + 8 + 8), binary.Binary.Length);
        Assert.Equal(
            16 * json.Count,
            binary.Output("boxes").GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
        AssertSame(json, binary);
    }

    [Fact]
    public async Task BinaryData_OnAnOutput_OverridesTheRequest()
    {
        var json = await Client.InferAsync(InferCall.Json([Sample]));
        var mixed = await Client.InferAsync(InferCall.Json(
            [Sample],
            """
            , "outputs": [{"name": "scores", "parameters": {"binary_data": true}}, {"name": "labels"},
                {"name": "boxes", "parameters": {"binary_data": true}},
                {"name": "image_index", "parameters": {"binary_data": false}}],
              "parameters": {"binary_data_output": false}
            """));
        Assert.Equal(["scores", "labels", "boxes", "image_index"], mixed.Names);
        Assert.Equal(
            ["scores", "boxes"], mixed.Names.Where(name => mixed.Output(name).TryGetProperty("parameters", out _)));
        Assert.Equal(json.Count * (4 + 16), mixed.Binary.Length);
        AssertSame(json, mixed);

        // The request's parameter may come after the outputs that it is the default of.
        var other = await Client.InferAsync(InferCall.Json(
            [Sample],
            """
            , "outputs": [{"name": "boxes", "parameters": {"binary_data": false}}, {"name": "labels"}],
              "parameters": {"binary_data_output": true}
            """));
        Assert.Equal(["labels"], other.Names.Where(name => other.Output(name).TryGetProperty("parameters", out _)));
        Assert.Equal(json.Integers("labels"), other.Integers("labels"));
    }

    [Fact]
    public async Task Outputs_Asked_AreSentAloneAndInThatOrder()
    {
        var answer = await Client.InferAsync(
            InferCall.Json([Sample], """, "outputs": [{"name": "labels"}, {"name": "boxes"}]"""));
        Assert.Equal(["labels", "boxes"], answer.Names);
        Assert.Equal(4 * answer.Count, answer.Floats("boxes").Length);
        var all = await Client.InferAsync(InferCall.Json([Sample], """, "outputs": []"""));
        Assert.Equal(["boxes", "scores", "labels", "image_index"], all.Names);
    }

    [Fact]
    public async Task Raw_HeaderZero_TakesTheBodyAsOneImageAndAnswersInBinary()
    {
        using var response = await Client.PostInferAsync(Sample, "0");
        var raw = await response.ReadInferAsync();
        Assert.True(response.Headers.Contains(InferCall.LengthName));
        Assert.Equal(["boxes", "scores", "labels", "image_index"], raw.Names);
        Assert.All(raw.Names, name => Assert.False(raw.Output(name).TryGetProperty("data", out _)));
        AssertSame(await Client.InferAsync(InferCall.Json([Sample])), raw);
    }

    [Fact]
    public async Task Header_CountsTheJsonAlone_MayBeAllOfTheBody()
    {
        var json = Encoding.UTF8.GetBytes(InferCall.Json([Sample]));
        using var response = await Client.PostInferAsync(json, $"{json.Length}");
        Assert.NotEqual(0, (await response.ReadInferAsync()).Count);
    }

    [Fact]
    public async Task Body_Chunked_IsRead()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/blood-cells/infer")
        {
            Content =
            new ByteArrayContent(Sample)
        };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Add(InferCall.LengthName, "0");
        using var response = await Client.SendAsync(request, Cancel);
        Assert.NotEqual(0, (await response.ReadInferAsync()).Count);
    }

    [Fact]
    public async Task Detections_None_AreTensorsOfNoRows()
    {
        using var response = await Client.PostBinaryAsync(
            [MadePng.OnePixel()], """, "parameters": {"score_threshold": 1, "binary_data_output": true}""");
        var answer = await response.ReadInferAsync();
        Assert.Equal("[0,4]", answer.Output("boxes").GetProperty("shape").GetRawText());
        Assert.Equal(0, answer.Output("boxes").GetProperty("parameters").GetProperty("binary_data_size").GetInt32());
        Assert.Empty(answer.Binary);
        var json = await Client.InferAsync(
            InferCall.Json([MadePng.OnePixel()], """, "parameters": {"score_threshold": 1}"""));
        Assert.Empty(json.Floats("scores"));
    }

    [Fact]
    public async Task Parameters_OfThisService_MeanWhatTheyMeanForDetect()
    {
        foreach (var (query, parameters) in ((string, string)[])[
            ("scoreThreshold=0.9", "\"score_threshold\": 0.9"),
            ("maxDetections=3", "\"max_detections\": 3"),
            ("labels=WBC,Platelets", "\"labels\": \"WBC, Platelets\""),
            (
                "scoreThreshold=0.5&maxDetections=4&labels=RBC",
                "\"labels\": \"RBC\", \"max_detections\": 4, \"score_threshold\": 5e-1"),
            ("maxDetections=99999999999", "\"max_detections\": 99999999999"),
            ("slice=400&overlap=0.1&wholeImage=false", "\"slice\": 400, \"overlap\": 0.1, \"whole_image\": false"),
            (
                "scales=320,448&flip=true&merge=voting&mergeThreshold=0.7",
                "\"scales\": \"320,448\", \"flip\": true, \"merge\": \"voting\", \"merge_threshold\": 0.7")])
        {
            var expected = (await Client.DetectAsync(Sample, query)).GetProperty("detections").EnumerateArray();
            var answer = await Client.InferAsync(InferCall.Json([Sample], $", \"parameters\": {{{parameters}}}"));
            Assert.Equal(
                expected.Select(detection => detection.GetProperty("score").GetDouble()),
                answer.Floats("scores").Select(score => Math.Round((double)score, 5)));
        }
    }

    [Fact]
    public async Task Parameters_OfOthersAndUnknownMembers_AreIgnored()
    {
        var answer = await Client.InferAsync(
            $$"""
            {"model_name": "mine", "extra": {"deep": [1, {"a": null}]},
             "parameters": {"my_custom_parameter": 42, "headers": "x", "flag": true, "f": 1.5},
             "inputs": [{"name": "image", "shape": [1], "datatype": "BYTES", "note": [],
               "parameters": {"content_type": "base64"}, "data": [{{InferCall.Base64(Sample)}}]}],
             "outputs": [{"name": "labels", "parameters": {"content_type": "np"}, "note": 1}]}
            """);
        Assert.NotEqual(0, answer.Count);
    }

    [Fact]
    public async Task Request_Logged_SaysModelImagesAndDetections()
    {
        var logged = fixture.Service.Log.All.Count;
        var answer = await Client.InferAsync(InferCall.Json([Sample, Sample]));
        var line = await fixture.Service.Log.WaitForAsync(
            logged, text => text.Contains("/infer", StringComparison.Ordinal), Cancel);
        Assert.Contains($"POST /v2/models/blood-cells/infer 200", line, StringComparison.Ordinal);
        Assert.Contains($"blood-cells found {answer.Count} in 2 images", line, StringComparison.Ordinal);
    }

    private static void AssertSame(InferAnswer expected, InferAnswer actual)
    {
        Assert.NotEqual(0, expected.Count);
        Assert.Equal(expected.Integers("labels"), actual.Integers("labels"));
        Assert.Equal(expected.Integers("image_index"), actual.Integers("image_index"));

        // Which images share a batch is chance, and may change the last bits.
        Assert.All(
            expected.Floats("scores").Zip(actual.Floats("scores")),
            pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.All(
            expected.Floats("boxes").Zip(actual.Floats("boxes")), pair => Assert.Equal(pair.First, pair.Second, 0.05));
    }

    private static string[] Members(JsonElement element) =>
        [.. element.EnumerateObject().Select(member => member.Name)];
}
