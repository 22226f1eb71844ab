using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Stages;

/// <summary><c>POST /regions</c>: the second stage alone, on given boxes.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class RegionsTests(ServiceFixture fixture)
{
    private const string Crowded = "smear-480x640.jpg";

    private static readonly string[] Labels = ["RBC", "WBC", "Platelets"];

    public static TheoryData<string> Goldens => StageGolden.Cases;

    private HttpClient Client => fixture.Service.Client;

    [Theory]
    [MemberData(nameof(Goldens))]
    public async Task Classify_GivenBoxes_EqualsTorchvisionsRoiHeads(string name)
    {
        var golden = StageGolden.Load(name);
        var given = golden.ReadArray<float>("regions.npy").Values.Chunk(4).ToArray();
        var scores = golden.ReadArray<float>("scores.npy").Values.Chunk(4).ToArray();
        var boxes = golden.ReadArray<float>("boxes.npy").Values.Chunk(12).ToArray();
        var levels = golden.ReadArray<byte>("levels.npy").Values;

        var regions = (await Client.ClassifyAsync(golden.ReadImage(), JsonSerializer.Serialize(given))).Regions();

        Assert.Equal(given.Length, regions.Length);
        var tolerance = StageGolden.Tolerance;
        for (var i = 0; i < regions.Length; i++)
        {
            var region = regions[i];
            Assert.Equal(scores[i][0], region.GetProperty("background").GetDouble(), tolerance.Score);
            var found = region.GetProperty("scores").EnumerateArray().ToArray();
            Assert.Equal(Labels.Length, found.Length);
            Assert.All(found, score => Assert.Equal(
                scores[i][score.GetProperty("classId").GetInt32()],
                score.GetProperty("score").GetDouble(),
                tolerance.Score));
            var sorted = found.Select(score => score.GetProperty("score").GetDouble()).ToArray();
            Assert.Equal(sorted.OrderDescending(), sorted);

            // The box of the class that the answer names first: two may be as likely.
            var best = found[0].GetProperty("classId").GetInt32();
            Assert.Equal(Labels[best - 1], found[0].GetProperty("label").GetString());
            Assert.All(
                boxes[i].Skip(4 * (best - 1)).Take(4).Zip(region.Corners()),
                pair => Assert.Equal(pair.First, pair.Second, tolerance.Box));
            Assert.Equal($"p{levels[i] + 2}", region.GetProperty("level").GetString());
        }
    }

    /// <summary>The two stages, each alone, are the detector: what /detect finds is among what the head makes of the
    /// RPN's proposals.</summary>
    [Fact]
    public async Task Classify_ProposalsOfTheModel_GivesItsDetections()
    {
        var image = MadeImages.Read(Crowded);
        var proposals = (await Client.ProposeAsync(image)).GetProperty("proposals").EnumerateArray()
            .Select(proposal => proposal.Corners()).ToArray();
        var regions = (await Client.ClassifyAsync(image, JsonSerializer.Serialize(proposals))).Regions();

        var detections = (await Client.DetectAsync(image, "scoreThreshold=0.6")).GetProperty("detections")
            .EnumerateArray().ToArray();
        Assert.NotEmpty(detections);

        // Proposals come rounded to three decimals.
        Assert.All(detections, detection => Assert.Contains(regions, region =>
            region.GetProperty("scores")[0].GetProperty("classId").GetInt32()
                == detection.GetProperty("classId").GetInt32()
            && Math.Abs(region.GetProperty("scores")[0].GetProperty("score").GetDouble()
                - detection.GetProperty("score").GetDouble()) < 2e-3
            && region.Corners().Zip(detection.Corners()).All(pair => Math.Abs(pair.First - pair.Second) < 0.1)));
    }

    [Fact]
    public async Task Classify_BoxesThatCannotBe_HaveAnErrorInTheirPlace()
    {
        const string Boxes = """
            [[100, 100, 200, 200], [50, 50, 50, 80], [80, 20, 10, 60], [640, 10, 700, 60], [-9, -9, 0, 400],
             [1e39, 1, 2, 3], [-50, -50, 90, 90], [600, 440, 9000, 9000]]
            """;
        var regions = (await Client.ClassifyAsync(MadeImages.Read(Crowded), Boxes)).Regions();

        string?[] errors =
            [null, "is empty", "is inverted", "outside the image", "outside the image", "not finite", null, null];
        Assert.Equal(errors.Length, regions.Length);
        foreach (var (region, error) in regions.Zip(errors))
        {
            string[] names = error is null ? ["scores", "background", "box", "level"] : ["error"];
            Assert.Equal(names, region.EnumerateObject().Select(property => property.Name));
            if (error is not null)
            {
                Assert.Contains(error, region.GetProperty("error").GetString(), StringComparison.Ordinal);
            }
        }

        // What reaches beyond the image is cut off there.
        var within = (await Client.ClassifyAsync(
            MadeImages.Read(Crowded), "[[0, 0, 90, 90], [600, 440, 640, 480]]")).Regions();
        Assert.Equal(within.Select(region => region.GetRawText()), regions[^2..].Select(region => region.GetRawText()));
    }

    [Theory]
    [InlineData("[]", 0)]
    [InlineData("[[5, 5, 5, 5], [700, 1, 800, 2]]", 2)]
    public async Task Classify_NothingToClassify_IsAnswered(string boxes, int count) =>
        Assert.Equal(count, (await Client.ClassifyAsync(MadeImages.Read(Crowded), boxes)).Regions().Length);

    [Fact]
    public async Task Classify_Json_IsAnsweredAsTheForm()
    {
        var image = MadeImages.Read(Crowded);
        const string Boxes = "[[10.5, 20.25, 90, 80], [300, 200, 420, 330]]";
        var form = (await Client.ClassifyAsync(image, Boxes, "top=2")).Regions();
        using var content = new StringContent(
            $$"""{"boxes": {{Boxes}}, "image": "{{Convert.ToBase64String(image)}}"}""",
            Encoding.UTF8,
            "application/json");
        using var response = await Client.PostAsync("regions?top=2", content, TestContext.Current.CancellationToken);
        var json = (await response.ReadJsonAsync()).Regions();

        Assert.Equal(form.Select(region => region.GetRawText()), json.Select(region => region.GetRawText()));
        Assert.All(json, region => Assert.Equal(2, region.GetProperty("scores").GetArrayLength()));
    }

    /// <summary>More than the head gets at once: the last ones are answered as the first.</summary>
    [Fact]
    public async Task Classify_ThousandsOfBoxes_EachIsAnsweredAsAlone()
    {
        var image = MadeImages.Read(Crowded);
        string[] boxes = ["[30, 40, 70, 90]", "[9, 9, 9, 9]", "[10, 20, 610, 450]", "[200, 100, 330, 260]"];
        var alone = (await Client.ClassifyAsync(image, $"[{string.Join(',', boxes)}]")).Regions();
        var many = Enumerable.Range(0, 1600).SelectMany(_ => boxes);
        var regions = (await Client.ClassifyAsync(image, $"[{string.Join(',', many)}]")).Regions();

        Assert.Equal(6400, regions.Length);
        foreach (var (i, region) in regions.Index())
        {
            var expected = alone[i % boxes.Length];
            if (i % boxes.Length == 1)
            {
                Assert.Equal(expected.GetRawText(), region.GetRawText());
                continue;
            }

            // The size of a product decides how it is summed.
            Assert.Equal(expected.GetProperty("level").GetString(), region.GetProperty("level").GetString());
            Assert.Equal(
                expected.GetProperty("background").GetDouble(), region.GetProperty("background").GetDouble(), 1e-4);
            Assert.All(
                expected.Corners().Zip(region.Corners()), pair => Assert.Equal(pair.First, pair.Second, 0.01));
        }
    }

    [Fact]
    public async Task Classify_AmongOthers_ChangesNothingForAny()
    {
        var image = MadeImages.Read(Crowded);
        const string Boxes = "[[10, 20, 90, 80], [300, 200, 420, 330], [0, 0, 640, 480]]";
        var detections = (await Client.DetectAsync(image)).Detections();
        var proposals = (await Client.ProposeAsync(image)).Proposals();
        var regions = (await Client.ClassifyAsync(image, Boxes)).Regions();

        var (detected, proposed, classified) = (
            new List<Task<JsonElement>>(), new List<Task<JsonElement>>(), new List<Task<JsonElement>>());
        for (var i = 0; i < 4; i++)
        {
            detected.Add(Client.DetectAsync(image));
            classified.Add(Client.ClassifyAsync(image, Boxes));
            proposed.Add(Client.ProposeAsync(image));
        }

        Assert.All(await Task.WhenAll(detected), answer => Assert.Equal(detections, answer.Detections()));
        Assert.All(await Task.WhenAll(proposed), answer => Assert.Equal(proposals, answer.Proposals()));
        Assert.All(await Task.WhenAll(classified), answer => Assert.Equal(
            regions.Select(region => region.GetProperty("scores")[0].GetProperty("label").GetString()),
            answer.Regions().Select(region => region.GetProperty("scores")[0].GetProperty("label").GetString())));
    }

    [Theory]
    [InlineData("{}", "boxes")]
    [InlineData("[[1, 2, 3, 4]", "boxes")]
    [InlineData("[[1, 2, 3]]", "boxes[0]")]
    [InlineData("[[1, 2, 3, 4], [1, 2, 3, 4, 5]]", "boxes[1]")]
    [InlineData("[[1, 2, 3, \"4\"]]", "boxes[0]")]
    [InlineData("[[1, 2, [3], 4]]", "boxes[0]")]
    [InlineData("[1, 2, 3, 4]", "boxes[0]")]
    [InlineData("", "boxes")]
    public async Task Classify_NotBoxes_Is400ThatNamesThem(string boxes, string parameter)
    {
        using var response = await Client.PostRegionsAsync(MadeImages.Read(Crowded), boxes);
        await ProblemBody.AssertBadParameterAsync(response, parameter);
    }

    [Theory]
    [InlineData("top=0", "top")]
    [InlineData("topN=5", "topN")]
    [InlineData("flip=true", "flip")]
    [InlineData("format=coco", "format")]
    public async Task Classify_BadParameter_Is400ThatNamesIt(string query, string parameter)
    {
        using var response = await Client.PostRegionsAsync(MadeImages.Read(Crowded), "[[1, 2, 3, 4]]", query);
        await ProblemBody.AssertBadParameterAsync(response, parameter);
    }

    [Theory]
    [InlineData("""{"image": "", "boxes": []}""", "bad-parameter", "image")]
    [InlineData("""{"image": "?", "boxes": []}""", "bad-parameter", "image")]
    [InlineData("""{"image": 5, "boxes": []}""", "bad-parameter", "image")]
    [InlineData("""{"boxes": []}""", "no-image", "image")]
    [InlineData("""{"image": "AAAA"}""", "bad-parameter", "boxes")]
    [InlineData("""{"image": "AAAA", "boxes": [], "boxes": []}""", "bad-parameter", "boxes")]
    [InlineData("""{"image": "AAAA", "boxes": [], "labels": 1}""", "bad-parameter", "labels")]
    [InlineData("[]", "bad-request", null)]
    [InlineData("{", "bad-request", null)]
    public async Task Classify_BadJson_Is400(string json, string type, string? parameter)
    {
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await Client.PostAsync("regions", content, TestContext.Current.CancellationToken);
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, type);
        Assert.Equal(parameter, problem.TryGetProperty("parameter", out var named) ? named.GetString() : null);
    }

    [Theory]
    [InlineData("image", "no-image")]
    [InlineData("boxes", "bad-parameter")]
    public async Task Classify_FormWithoutAPart_Is400ThatNamesIt(string absent, string type)
    {
        using var form = new MultipartFormDataContent();
        if (absent == "image")
        {
            form.Add(new StringContent("[[1, 2, 3, 4]]"), "boxes");
        }
        else
        {
            form.Add(new ByteArrayContent(MadeImages.Read(Crowded)), "image", "image");
        }

        using var response = await Client.PostAsync("regions", form, TestContext.Current.CancellationToken);
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, type);
        Assert.Equal(absent, problem.GetProperty("parameter").GetString());
    }

    [Fact]
    public async Task Classify_MoreBoxesThanAllowed_Is413InBothForms()
    {
        using var service = new RunningService(("Fpn:Limits:MaxRegions", "3"));
        var boxes = (int count) =>
            $"[{string.Join(',', Enumerable.Range(0, count).Select(i => string.Create(
                CultureInfo.InvariantCulture, $"[{i}, 0, {i + 9}, 9]")))}]";
        var image = MadeImages.Read(Crowded);
        Assert.Equal(3, (await service.Client.ClassifyAsync(image, boxes(3))).Regions().Length);

        using var form = await service.Client.PostRegionsAsync(image, boxes(4));
        var problem = await ProblemBody.AssertAsync(form, HttpStatusCode.RequestEntityTooLarge, "too-many-regions");
        Assert.Equal("boxes", problem.GetProperty("parameter").GetString());
        using var content = new StringContent(
            $$"""{"image": "{{Convert.ToBase64String(image)}}", "boxes": {{boxes(4)}}}""");
        using var json = await service.Client.PostAsync("regions", content, TestContext.Current.CancellationToken);
        await ProblemBody.AssertAsync(json, HttpStatusCode.RequestEntityTooLarge, "too-many-regions");
    }

    [Fact]
    public async Task Classify_EndToEndModel_Is400ThatNamesTheModel()
    {
        using var models = new ModelFolder();
        EndToEndPackage.WriteTo(models.Path);
        using var service = new RunningService(("Fpn:Models:Path", models.Path), ("Fpn:Models:Default", "constant"));

        using var response = await service.Client.PostRegionsAsync(MadeImages.Read(Crowded), "[[1, 2, 3, 4]]");
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.BadRequest, "not-two-stage");
        Assert.Equal("model", problem.GetProperty("parameter").GetString());
    }
}
