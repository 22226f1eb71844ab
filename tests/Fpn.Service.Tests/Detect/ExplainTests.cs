using System.Text.Json;
using Fpn.Detection.Geometry;
using Fpn.Testing.Goldens;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary><c>explain=true</c>: what the answer tells about how it came to be.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ExplainTests(ServiceFixture fixture)
{
    private const string Crowded = "smear-480x640.jpg";

    private HttpClient Client => fixture.Service.Client;

    [Theory]
    [InlineData("")]
    [InlineData("explain=false")]
    public async Task Detect_NotAsked_ExplainsNothing(string query) =>
        Assert.False((await Client.DetectAsync(MadeImages.Read(Crowded), query)).TryGetProperty("explain", out _));

    [Fact]
    public async Task Detect_Explained_HasTheSameDetectionsAndAnOriginForEach()
    {
        var plain = await Client.DetectAsync(MadeImages.Read(Crowded));
        var answer = await Client.DetectAsync(MadeImages.Read(Crowded), "explain=true");

        Assert.Equal(plain.Detections(), answer.Detections());
        var explain = answer.GetProperty("explain");
        Assert.Equal(["candidates", "detections", "proposals"], Names(explain));
        var proposals = explain.GetProperty("proposals");
        var detections = answer.GetProperty("detections").EnumerateArray().ToArray();
        var origins = explain.GetProperty("detections").EnumerateArray().ToArray();
        Assert.Equal(detections.Length, origins.Length);
        Assert.True(detections.Length > 10, $"{detections.Length} detections prove little");
        Assert.Contains(origins, origin => origin.GetProperty("suppressed").GetArrayLength() > 0);
        foreach (var (detection, origin) in detections.Zip(origins))
        {
            Assert.Equal(["level", "proposalIndex", "proposal", "anchor", "suppressed"], Names(origin));
            Assert.Equal(detection.GetProperty("level").GetString(), origin.GetProperty("level").GetString());
            Assert.Equal(
                proposals[origin.GetProperty("proposalIndex").GetInt32()].GetRawText(),
                origin.GetProperty("proposal").GetRawText());
            Assert.Equal(
                origin.GetProperty("proposal").GetProperty("level").GetString(),
                origin.GetProperty("anchor").GetProperty("level").GetString());

            // What is a detection's own is near its proposal.
            Assert.True(Iou(detection, origin.GetProperty("proposal")) > 0.3);
            Assert.All(origin.GetProperty("suppressed").EnumerateArray(), removed =>
            {
                Assert.Equal(["box", "score", "iou", "proposalIndex"], Names(removed));
                Assert.Equal(Iou(detection, removed), removed.GetProperty("iou").GetDouble(), 1e-3);
                Assert.InRange(removed.GetProperty("iou").GetDouble(), 0.5, 1);
                Assert.InRange(
                    removed.GetProperty("score").GetDouble(), 0.05, detection.GetProperty("score").GetDouble());
            });
        }
    }

    [Fact]
    public async Task Detect_Explained_ProposalsAreTorchvisions()
    {
        var golden = GoldenModel.BloodCells.Load("smear-480x640");
        var answer = await Client.DetectAsync(golden.ReadImage(), "explain=true");
        var levels = golden.ReadArray<byte>("levels.npy").Values.Length;
        var values = golden.ReadArray<float>("proposals.npy").Values;
        var (scaleX, scaleY) = (
            (double)golden.Original.Width / golden.Resized.Width,
            (double)golden.Original.Height / golden.Resized.Height);
        var reference = Enumerable.Range(0, levels).Select(i => new[]
        {
            values[5 * i] * scaleX,
            values[(5 * i) + 1] * scaleY,
            values[(5 * i) + 2] * scaleX,
            values[(5 * i) + 3] * scaleY,
            values[(5 * i) + 4],
        }).ToList();

        var proposals =
            answer.GetProperty("explain").GetProperty("proposals").EnumerateArray().Select(Numbers).ToArray();
        Assert.Equal(reference.Count, proposals.Length);
        Assert.All(proposals, proposal => Assert.Equal(1, reference.RemoveAll(expected => Near(expected, proposal))));

        static double[] Numbers(JsonElement proposal) =>
        [
            .. proposal.GetProperty("box").EnumerateObject().Select(side => side.Value.GetDouble()),
            proposal.GetProperty("objectness").GetDouble(),
        ];

        static bool Near(double[] expected, double[] actual) =>
            expected.Zip(actual).Take(4).All(pair => Math.Abs(pair.First - pair.Second) < 0.05)
            && Math.Abs(expected[4] - actual[4]) < 1e-4;
    }

    [Theory]
    [InlineData("scoreThreshold=0.9")]
    [InlineData("maxDetections=4")]
    [InlineData("labels=WBC,Platelets")]
    public async Task Detect_ExplainedAndFiltered_OriginsFollowTheDetections(string query)
    {
        var all = await Client.DetectAsync(MadeImages.Read(Crowded), "explain=true");
        var some = await Client.DetectAsync(MadeImages.Read(Crowded), $"explain=true&{query}");

        var origins = all.Detections().Zip(all.GetProperty("explain").GetProperty("detections").EnumerateArray())
            .ToDictionary(pair => pair.First, pair => pair.Second.GetRawText());
        Assert.InRange(some.Detections().Length, 1, all.Detections().Length - 1);
        Assert.Equal(
            some.Detections().Select(detection => origins[detection]),
            some.GetProperty("explain").GetProperty("detections").EnumerateArray()
                .Select(origin => origin.GetRawText()));
        Assert.Equal(
            all.GetProperty("explain").GetProperty("proposals").GetRawText(),
            some.GetProperty("explain").GetProperty("proposals").GetRawText());
    }

    [Fact]
    public async Task Detect_NothingInTheImage_ExplainsItsProposals()
    {
        var explain =
            (await Client.DetectAsync(MadeImages.Read("blank-256x256.png"), "explain=true")).GetProperty("explain");
        Assert.Equal(0, explain.GetProperty("candidates").GetInt32());
        Assert.Empty(explain.GetProperty("detections").EnumerateArray());
        Assert.NotEmpty(explain.GetProperty("proposals").EnumerateArray());
    }

    [Fact]
    public async Task Detect_SomeAskedAtOnce_OnlyTheyAreTold()
    {
        var image = MadeImages.Read(Crowded);
        var alone = await Client.DetectAsync(image, "explain=true");
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 12).Select(i => Client.DetectAsync(image, i % 3 == 0 ? "explain=true" : string.Empty)));
        for (var i = 0; i < answers.Length; i++)
        {
            Assert.Equal(alone.Detections(), answers[i].Detections());
            Assert.Equal(i % 3 == 0, answers[i].TryGetProperty("explain", out var explain));
            Assert.True(i % 3 != 0 || explain.GetRawText() == alone.GetProperty("explain").GetRawText());
        }
    }

    [Theory]
    [InlineData("explain=1")]
    [InlineData("explain=")]
    [InlineData("explain=TRUE")]
    public async Task Detect_ExplainIsNeitherTrueNorFalse_Is400(string query)
    {
        using var response = await Client.PostDetectAsync(MadeImages.Read(Crowded), query);
        await ProblemBody.AssertBadParameterAsync(response, "explain");
    }

    [Theory]
    [InlineData("coco")]
    [InlineData("voc")]
    [InlineData("yolo")]
    [InlineData("image")]
    public async Task Detect_ExplainInAnotherFormat_Is400(string format)
    {
        using var response = await Client.PostDetectAsync(MadeImages.Read(Crowded), $"explain=true&format={format}");
        var problem = await ProblemBody.AssertBadParameterAsync(response, "explain");
        Assert.Contains("format json", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task DetectBatch_Explained_ExplainsEachImageAsAlone()
    {
        using var form = new MultipartFormDataContent();
        string[] names = [Crowded, "alpha-300x400.png"];
        foreach (var name in names)
        {
            form.Add(new ByteArrayContent(MadeImages.Read(name)), "images", name);
        }

        using var response = await Client.PostAsync(
            "detect/batch?explain=true", form, TestContext.Current.CancellationToken);
        using var batch = JsonDocument.Parse(
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var results = batch.RootElement.GetProperty("results");
        Assert.Equal(names.Length, results.GetArrayLength());
        for (var i = 0; i < names.Length; i++)
        {
            var alone = await Client.DetectAsync(MadeImages.Read(names[i]), "explain=true");
            Assert.Equal(
                alone.GetProperty("explain").GetProperty("detections").GetRawText(),
                results[i].GetProperty("explain").GetProperty("detections").GetRawText());
        }
    }

    [Fact]
    public async Task Detect_EndToEndModel_RefusesToExplain()
    {
        using var models = new ModelFolder();
        EndToEndPackage.WriteTo(models.Path);
        using var service = new RunningService(("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "constant"));

        Assert.NotEmpty((await service.Client.DetectAsync(MadeImages.Read(Crowded), "explain=false")).Detections());
        using var response = await service.Client.PostDetectAsync(MadeImages.Read(Crowded), "explain=true");
        var problem = await ProblemBody.AssertBadParameterAsync(response, "explain");
        Assert.Contains("nothing to explain", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    private static double Iou(JsonElement one, JsonElement other) =>
        BoxOperations.IntersectionOverUnion(BoxOf(one), BoxOf(other));

    private static Box BoxOf(JsonElement item)
    {
        var sides = item.GetProperty("box").EnumerateObject().Select(side => side.Value.GetSingle()).ToArray();
        return new Box(sides[0], sides[1], sides[2], sides[3]);
    }

    private static IEnumerable<string> Names(JsonElement element) =>
        element.EnumerateObject().Select(property => property.Name);
}
