using System.Globalization;
using System.Net;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Stages;

/// <summary><c>POST /proposals</c>: the first stage alone.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ProposalsTests(ServiceFixture fixture)
{
    private const string Crowded = "smear-480x640.jpg";

    public static TheoryData<string> Goldens => StageGolden.Cases;

    private HttpClient Client => fixture.Service.Client;

    [Fact]
    public async Task Propose_Image_AnswersAsTheContractSays()
    {
        var answer = await Client.ProposeAsync(MadeImages.Read(Crowded));

        Assert.Equal(
            ["model", "modelVersion", "image", "proposals", "timings", "batchSize"],
            answer.EnumerateObject().Select(property => property.Name));
        Assert.Equal("blood-cells", answer.GetProperty("model").GetString());
        Assert.Equal(640, answer.GetProperty("image").GetProperty("width").GetInt32());
        var proposals = answer.GetProperty("proposals").EnumerateArray().ToArray();
        Assert.True(proposals.Length > 100, $"{proposals.Length} proposals prove little");
        Assert.All(
            proposals,
            proposal => Assert.Equal(
                ["box", "objectness", "level"], proposal.EnumerateObject().Select(property => property.Name)));
        var scores = proposals.Select(proposal => proposal.GetProperty("objectness").GetDouble()).ToArray();
        Assert.Equal(scores.OrderDescending(), scores);
    }

    [Theory]
    [InlineData(Crowded)]
    [InlineData("exif6-480x360.jpg")]
    [InlineData("blank-256x256.png")]
    public async Task Propose_Image_GivesTheProposalsThatDetectExplains(string image)
    {
        var explained = await Client.DetectAsync(MadeImages.Read(image), "explain=true");
        var alone = await Client.ProposeAsync(MadeImages.Read(image));

        Assert.Equal(explained.GetProperty("explain").Proposals(), alone.Proposals());
        Assert.NotEmpty(alone.Proposals());
    }

    [Theory]
    [MemberData(nameof(Goldens))]
    public async Task Propose_NumbersOfTheRequest_EqualsTorchvisionsFilterProposals(string name)
    {
        var golden = StageGolden.Load(name);
        var query = string.Create(
            CultureInfo.InvariantCulture,
            $"topN={golden.TopN}&nmsThreshold={golden.NmsThreshold}&scoreThreshold={golden.ScoreThreshold}");
        var answer = await Client.ProposeAsync(golden.ReadImage(), query);

        var values = golden.ReadArray<float>("proposals.npy").Values;
        var scaleX = (double)golden.Original.Width / golden.Resized.Width;
        var scaleY = (double)golden.Original.Height / golden.Resized.Height;
        var reference = values.Chunk(5)
            .Select(row => (double[])[row[0] * scaleX, row[1] * scaleY, row[2] * scaleX, row[3] * scaleY, row[4]])
            .ToList();
        var proposals = answer.GetProperty("proposals").EnumerateArray().ToArray();
        Assert.NotEmpty(proposals);
        Assert.Equal(reference.Count, proposals.Length);
        var tolerance = StageGolden.Tolerance;
        Assert.All(proposals, proposal =>
        {
            var (box, objectness) = (proposal.Corners(), proposal.GetProperty("objectness").GetDouble());
            var partner = reference.FindIndex(row =>
                Math.Abs(row[4] - objectness) <= tolerance.Objectness
                && row.Zip(box).All(pair => Math.Abs(pair.First - pair.Second) <= tolerance.ProposalBox * scaleX));
            Assert.True(partner >= 0, $"{proposal.GetRawText()} is not torchvision's");
            reference.RemoveAt(partner);
        });
    }

    [Fact]
    public async Task Propose_AmongDetections_ChangesNothingForEither()
    {
        var image = MadeImages.Read(Crowded);
        var detections = (await Client.DetectAsync(image)).Detections();
        var proposals = (await Client.ProposeAsync(image)).Proposals();
        var few = (await Client.ProposeAsync(image, "topN=7&nmsThreshold=0.4")).Proposals();
        Assert.Equal(7, few.Length);

        var (detected, proposed) = (new List<Task<JsonElement>>(), new List<Task<JsonElement>>());
        for (var i = 0; i < 6; i++)
        {
            detected.Add(Client.DetectAsync(image));
            proposed.Add(Client.ProposeAsync(image, i % 2 == 0 ? string.Empty : "topN=7&nmsThreshold=0.4"));
        }

        Assert.All(await Task.WhenAll(detected), answer => Assert.Equal(detections, answer.Detections()));
        foreach (var (i, answer) in (await Task.WhenAll(proposed)).Index())
        {
            Assert.Equal(i % 2 == 0 ? proposals : few, answer.Proposals());
        }
    }

    /// <summary>A head that gives NaN fails detections, and is not asked for proposals.</summary>
    [Fact]
    public async Task Propose_HeadIsBroken_AnswersAllTheSame()
    {
        using var models = new ModelFolder();
        models.AddSpoiled("class_logits", "class_logits", float.NaN);
        using var service = new RunningService(
            ("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "class_logits"));
        var image = File.ReadAllBytes(Checkout.WideImage);

        using var detect = await service.Client.PostDetectAsync(image);
        await ProblemBody.AssertAsync(detect, HttpStatusCode.InternalServerError, "model-output-not-finite");
        Assert.Equal(
            (await Client.ProposeAsync(image)).Proposals(), (await service.Client.ProposeAsync(image)).Proposals());
    }

    [Fact]
    public async Task Propose_Coco_IsAResultsArrayOfTheSameBoxes()
    {
        var answer = await Client.ProposeAsync(MadeImages.Read(Crowded), "topN=5");
        using var response = await Client.PostProposalsAsync(MadeImages.Read(Crowded), "topN=5&format=coco&imageId=42");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["Accept"], response.Headers.Vary);

        var results = (await response.ReadJsonAsync()).EnumerateArray().ToArray();
        var proposals = answer.GetProperty("proposals").EnumerateArray().ToArray();
        Assert.Equal(5, results.Length);
        foreach (var (result, proposal) in results.Zip(proposals))
        {
            var (bbox, box) = (
                result.GetProperty("bbox").EnumerateArray().Select(side => side.GetDouble()).ToArray(),
                proposal.Corners());
            Assert.Equal(42, result.GetProperty("image_id").GetInt64());
            Assert.Equal(1, result.GetProperty("category_id").GetInt32());
            Assert.Equal(
                proposal.GetProperty("objectness").GetDouble(), result.GetProperty("score").GetDouble());
            Assert.Equal([box[0], box[1]], bbox[..2]);
            Assert.Equal(box[2] - box[0], bbox[2], 1e-3);
            Assert.Equal(box[3] - box[1], bbox[3], 1e-3);
        }
    }

    [Theory]
    [InlineData("application/vnd.coco+json", "application/vnd.coco+json")]
    [InlineData("application/json", "application/json")]
    [InlineData("image/png, application/json;q=0.1", "application/json")]
    public async Task Propose_Accept_ChoosesTheFormat(string accept, string expected)
    {
        using var request = Request(accept);
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected, response.Content.Headers.ContentType?.MediaType);
    }

    [Theory]
    [InlineData("image/png")]
    [InlineData("text/plain")]
    public async Task Propose_AcceptOfAFormatThatNeedsClasses_Is406(string accept)
    {
        using var request = Request(accept);
        using var response = await Client.SendAsync(request, TestContext.Current.CancellationToken);
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.NotAcceptable, "not-acceptable");
        Assert.EndsWith(
            "application/json, application/vnd.coco+json.",
            problem.GetProperty("detail").GetString(),
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("topN=0", "topN")]
    [InlineData("topN=-1", "topN")]
    [InlineData("topN=1.5", "topN")]
    [InlineData("nmsThreshold=1.01", "nmsThreshold")]
    [InlineData("nmsThreshold=NaN", "nmsThreshold")]
    [InlineData("scoreThreshold=x", "scoreThreshold")]
    [InlineData("format=voc", "format")]
    [InlineData("imageId=-3", "imageId")]
    [InlineData("slice=64", "slice")]
    [InlineData("scales=480", "scales")]
    [InlineData("labels=RBC", "labels")]
    [InlineData("topN=1&topN=2", "topN")]
    public async Task Propose_BadParameter_Is400ThatNamesIt(string query, string parameter)
    {
        using var response = await Client.PostProposalsAsync(MadeImages.Read(Crowded), query);
        await ProblemBody.AssertBadParameterAsync(response, parameter);
    }

    [Fact]
    public async Task Propose_MoreThanThereAre_GivesAll()
    {
        var answer = await Client.ProposeAsync(
            MadeImages.Read(Crowded), "topN=99999999999999999999&nmsThreshold=1&scoreThreshold=0");

        // NMS at 1 removes nothing, so that every level's best anchors stay: 1,000 of p2, p3 and p4 and all of p5, p6.
        Assert.InRange(answer.Proposals().Length, 3000, 4000);
    }

    [Fact]
    public async Task Propose_EndToEndModel_Is400ThatNamesTheModel()
    {
        using var models = new ModelFolder();
        EndToEndPackage.WriteTo(models.Path);
        using var service = new RunningService(("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "constant"));

        using var response = await service.Client.PostProposalsAsync(MadeImages.Read(Crowded));
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, "not-two-stage");
        Assert.Equal("model", problem.GetProperty("parameter").GetString());
        Assert.Contains("inside its graph", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static HttpRequestMessage Request(string accept)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "proposals?topN=3")
        {
            Content = new ByteArrayContent(MadeImages.Read(Crowded)),
        };
        request.Headers.Add("Accept", accept);
        return request;
    }
}
