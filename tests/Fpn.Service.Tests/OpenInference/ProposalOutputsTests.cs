using System.Net;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.OpenInference;

/// <summary>The first stage alone over the protocol: outputs that a request has to name.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ProposalOutputsTests(ServiceFixture fixture)
{
    private const string Outputs = """
        , "outputs": [{"name": "proposal_boxes"}, {"name": "proposal_objectness"}, {"name": "proposal_levels"},
          {"name": "proposal_image_index"}]
        """;

    private static readonly byte[] Crowded = MadeImages.Read("smear-480x640.jpg");
    private static readonly byte[] Turned = MadeImages.Read("exif6-480x360.jpg");

    private HttpClient Client => fixture.Service.Client;

    [Theory]
    [InlineData("", "")]
    [InlineData("top_n=7", "topN=7")]
    [InlineData("top_n=300 nms_threshold=0.4", "topN=300&nmsThreshold=0.4")]
    [InlineData("nms_threshold=1 score_threshold=0.25", "nmsThreshold=1&scoreThreshold=0.25")]
    public async Task Infer_ProposalOutputs_GivesWhatProposalsGives(string parameters, string query)
    {
        var expected = await Client.ProposeAsync(Crowded, query);
        var members = string.Join(", ", parameters
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(parameter => $"\"{parameter.Replace("=", "\": ", StringComparison.Ordinal)}"));
        var answer = await Client.InferAsync(
            InferCall.Json([Crowded], $$""", "id": "p", "parameters": {{{members}}}{{Outputs}}"""));

        Assert.Equal("p", answer.Json.GetProperty("id").GetString());
        Assert.Equal(
            ["proposal_boxes", "proposal_objectness", "proposal_levels", "proposal_image_index"], answer.Names);
        Assert.Equal($"[{answer.Count},4]", answer.Output("proposal_boxes").GetProperty("shape").GetRawText());
        Assert.All(
            answer.Names[1..],
            name => Assert.Equal($"[{answer.Count}]", answer.Output(name).GetProperty("shape").GetRawText()));
        Assert.NotEqual(0, answer.Count);
        AssertSame([expected], answer);
    }

    [Fact]
    public async Task Infer_SeveralImagesAsBinary_HasTheProposalsOfEachInTheirOrder()
    {
        byte[][] images = [Turned, Crowded, MadeImages.Read("blank-256x256.png")];
        List<JsonElement> expected = [];
        foreach (var image in images)
        {
            expected.Add(await Client.ProposeAsync(image, "topN=20"));
        }

        using var response = await Client.PostBinaryAsync(
            images, $$""", "parameters": {"top_n": 20, "binary_data_output": true}{{Outputs}}""");
        var answer = await response.ReadInferAsync();
        Assert.NotEmpty(answer.Binary);
        Assert.False(answer.Output("proposal_boxes").TryGetProperty("data", out _));
        AssertSame(expected, answer);

        // Some as JSON, in another order, and the parameters after them.
        using var mixed = await Client.PostBinaryAsync(
            images,
            """
            , "outputs": [{"name": "proposal_image_index"}, {"name": "proposal_levels"},
              {"name": "proposal_boxes", "parameters": {"binary_data": true}}, {"name": "proposal_objectness"}],
              "parameters": {"top_n": 20}
            """);
        var again = await mixed.ReadInferAsync();
        Assert.Equal(
            ["proposal_image_index", "proposal_levels", "proposal_boxes", "proposal_objectness"], again.Names);
        Assert.Equal(again.Count * 4 * sizeof(float), again.Binary.Length);
        AssertSame(expected, again);
    }

    /// <summary>A head that gives NaN fails detections, and is not asked for proposals.</summary>
    [Fact]
    public async Task Infer_HeadIsBroken_ProposesAllTheSame()
    {
        var wide = await File.ReadAllBytesAsync(Checkout.WideImage, TestContext.Current.CancellationToken);
        using var models = new ModelFolder();
        models.AddSpoiled("class_logits", "class_logits", float.NaN);
        using var service = new RunningService(
            ("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "class_logits"));
        const string Path = "v2/models/class_logits/infer";

        using var detections = await service.Client.PostInferAsync(InferCall.Json([wide]), Path);
        await detections.ErrorAsync(HttpStatusCode.InternalServerError);
        using var proposals = await service.Client.PostInferAsync(InferCall.Json([wide], Outputs), Path);
        AssertSame([await Client.ProposeAsync(wide)], await proposals.ReadInferAsync());
    }

    [Fact]
    public async Task Infer_EndToEndModel_Is400ThatSaysWhy()
    {
        using var models = new ModelFolder();
        EndToEndPackage.WriteTo(models.Path);
        using var service = new RunningService(("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "constant"));
        using var response = await service.Client.PostInferAsync(
            InferCall.Json([Crowded], Outputs), "v2/models/constant/infer");
        Assert.Contains(
            "inside its graph", await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
    }

    /// <summary>What clients rely on that read each listed output from each answer, or ask for all of them.</summary>
    [Fact]
    public async Task ModelMetadata_Outputs_AreThoseOfAPlainAnswer()
    {
        var plain = await Client.InferAsync(InferCall.Json([Crowded]));
        var model = await Client.GetJsonAsync("v2/models/blood-cells");
        var listed = model.GetProperty("outputs").EnumerateArray()
            .Select(output => output.GetProperty("name").GetString()!).ToArray();
        Assert.Equal(plain.Names, listed);
        var asked = string.Join(", ", listed.Select(name => $$"""{"name": "{{name}}"}"""));
        Assert.Equal(
            plain.Floats("scores"),
            (await Client.InferAsync(InferCall.Json([Crowded], $", \"outputs\": [{asked}]"))).Floats("scores"));
    }

    [Theory]
    [InlineData("boxes, proposal_boxes", "", "outputs[1]: 'proposal_boxes' and 'boxes' cannot")]
    [InlineData("proposal_levels, proposal_boxes, labels", "", "outputs[2]: 'labels' and 'proposal_levels' cannot")]
    [InlineData("proposal_boxes, proposal_boxes", "", "twice")]
    [InlineData("proposals", "", "'proposals'. Known: boxes, scores, labels, image_index, proposal_boxes, ")]
    [InlineData("proposal_boxes", "\"max_detections\": 5", "parameters.max_detections: Goes with outputs of")]
    [InlineData("proposal_boxes", "\"labels\": \"RBC\"", "parameters.labels: ")]
    [InlineData("proposal_boxes", "\"slice\": 320", "parameters.slice: ")]
    [InlineData("proposal_boxes", "\"flip\": true", "parameters.flip: ")]
    [InlineData("proposal_boxes", "\"merge\": \"nms\"", "parameters.merge: ")]
    [InlineData("proposal_boxes", "\"top_n\": 0", "parameters.top_n: ")]
    [InlineData("proposal_boxes", "\"top_n\": 1.5", "parameters.top_n: ")]
    [InlineData("proposal_boxes", "\"top_n\": \"5\"", "parameters.top_n: ")]
    [InlineData("proposal_boxes", "\"top_n\": 5, \"top_n\": 6", "parameters.top_n: Is given twice")]
    [InlineData("proposal_boxes", "\"nms_threshold\": 1.01", "parameters.nms_threshold: ")]
    [InlineData("proposal_boxes", "\"nms_threshold\": true", "parameters.nms_threshold: ")]
    [InlineData("proposal_boxes", "\"score_threshold\": -1", "parameters.score_threshold: ")]
    [InlineData("boxes", "\"top_n\": 5", "parameters.top_n: Goes with outputs of proposals")]
    [InlineData("", "\"nms_threshold\": 0.5", "parameters.nms_threshold: Goes with outputs of proposals")]
    public async Task Infer_WhatDoesNotGoTogether_Is400ThatNamesIt(string outputs, string parameters, string named)
    {
        var wanted = string.Join(", ", outputs
            .Split(", ", StringSplitOptions.RemoveEmptyEntries)
            .Select(name => $$"""{"name": "{{name}}"}"""));
        string[] members = [$"\"outputs\": [{wanted}]", $"\"parameters\": {{{parameters}}}"];
        foreach (var more in (string[])[string.Join(", ", members), string.Join(", ", members.Reverse())])
        {
            using var response = await Client.PostInferAsync(InferCall.Json([Crowded], $", {more}"));
            Assert.Contains(named, await response.ErrorAsync(HttpStatusCode.BadRequest), StringComparison.Ordinal);
        }
    }

    private static void AssertSame(IReadOnlyList<JsonElement> expected, InferAnswer answer) =>
        ProposalAnswers.AssertSame(
            expected,
            answer.Floats("proposal_boxes"),
            answer.Floats("proposal_objectness"),
            answer.Integers("proposal_levels"),
            answer.Integers("proposal_image_index"));
}
