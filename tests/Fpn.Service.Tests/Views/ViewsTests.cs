using System.Globalization;
using System.Net;
using System.Text.Json;
using Fpn.Testing.Packages;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Views;

/// <summary>Several looks at an image over HTTP, with the trained model.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ViewsTests(ServiceFixture fixture)
{
    private static readonly byte[] Smear = File.ReadAllBytes(Checkout.SampleImage);
    private static readonly byte[] Wide = File.ReadAllBytes(Checkout.WideImage);

    private HttpClient Client => fixture.Service.Client;

    /// <summary>Bit by bit: the answers are compared as they were written.</summary>
    [Theory]
    [InlineData(320, 533)]
    [InlineData(512, 853)]
    public async Task Detect_OneScale_IsThePlainAnswerAtThatSize(int minSize, int maxSize)
    {
        using var folder = new ModelFolder();
        folder.Add(manifest: text => ModelFolder.Edit(
            text,
            "\"minSize\": 384, \"maxSize\": 640",
            string.Create(CultureInfo.InvariantCulture, $"\"minSize\": {minSize}, \"maxSize\": {maxSize}")));
        using var resized = new RunningService(("Fpn:Models:Path", folder.Path));
        var expected = await resized.Client.DetectAsync(Wide);
        var answer = await Client.DetectAsync(Wide, $"scales={minSize}");
        Assert.NotEmpty(expected.Detections());
        Assert.Equal(expected.Detections(), answer.Detections());
        Assert.Equal(1, answer.GetProperty("views").GetInt32());
    }

    [Fact]
    public async Task Detect_SliceLargerThanTheImage_IsThePlainAnswer()
    {
        var plain = await Client.DetectAsync(Smear);
        Assert.False(plain.TryGetProperty("views", out _));
        var answer = await Client.DetectAsync(Smear, "slice=2000");
        Assert.Equal(1, answer.GetProperty("views").GetInt32());
        Assert.Equal(plain.Detections(), answer.Detections());
    }

    /// <summary>Whatever lies in the empty half beside the picture: nothing is found there.</summary>
    [Fact]
    public async Task Detect_SliceOfAnEmptyBorder_ChangesNothing()
    {
        var plain = await Client.DetectAsync(Smear, "wholeImage=false&slice=2000");
        using var picture = NetVips.Image.NewFromBuffer(Smear);
        using var bordered = picture.Embed(
            0,
            0,
            picture.Width * 2,
            picture.Height,
            extend: NetVips.Enums.Extend.Background,
            background: [240, 235, 230]);
        var answer = await Client.DetectAsync(
            bordered.PngsaveBuffer(),
            string.Create(
                CultureInfo.InvariantCulture,
                $"slice={picture.Height}x{picture.Width}&overlap=0&wholeImage=false"));
        Assert.Equal(2, answer.GetProperty("views").GetInt32());
        Assert.Equal(plain.Detections(), answer.Detections());
    }

    [Fact]
    public async Task Detect_Explain_SaysWhichViewFoundEachBoxAndWhatWasMerged()
    {
        var answer = await Client.DetectAsync(Wide, "slice=400&explain=true");
        var explain = answer.GetProperty("explain");
        var views = explain.GetProperty("views").EnumerateArray().ToList();
        Assert.Equal(answer.GetProperty("views").GetInt32(), views.Count);
        Assert.Equal("""{"x1":0,"y1":0,"x2":900,"y2":600}""", views[0].GetProperty("region").GetRawText());
        var origins = explain.GetProperty("detections").EnumerateArray().ToList();
        var detections = answer.GetProperty("detections").EnumerateArray().ToList();
        Assert.Equal(detections.Count, origins.Count);
        Assert.True(origins.Select(origin => origin.GetProperty("view").GetInt32()).Distinct().Count() > 2);
        Assert.Contains(origins, origin => origin.GetProperty("merged").GetArrayLength() > 0);
        var proposals = explain.GetProperty("proposals").EnumerateArray().ToList();
        Assert.All(detections.Zip(origins), pair =>
        {
            var (detection, origin) = pair;
            var region = views[origin.GetProperty("view").GetInt32()].GetProperty("region");
            RequireInside(detection.GetProperty("box"), region);
            var proposal = proposals[origin.GetProperty("proposalIndex").GetInt32()];
            Assert.Equal(origin.GetProperty("proposal").GetRawText(), proposal.GetRawText());
            Assert.Equal(origin.GetProperty("view").GetInt32(), proposal.GetProperty("view").GetInt32());
            RequireInside(proposal.GetProperty("box"), region);
            Assert.All(origin.GetProperty("merged").EnumerateArray(), merged =>
            {
                Assert.True(merged.GetProperty("score").GetDouble() <= detection.GetProperty("score").GetDouble());
                RequireInside(
                    merged.GetProperty("box"), views[merged.GetProperty("view").GetInt32()].GetProperty("region"));
            });
        });
    }

    [Fact]
    public async Task DetectBatch_Slices_AnswersEachImageAsAlone()
    {
        var alone = await Client.DetectAsync(Wide, "slice=500&merge=ios");
        using var form = new MultipartFormDataContent();
        foreach (var image in (byte[][])[Wide, Smear])
        {
            form.Add(new ByteArrayContent(image), "images", "image.jpg");
        }

        using var response = await Client.PostAsync(
            "detect/batch?slice=500&merge=ios", form, TestContext.Current.CancellationToken);
        var body = JsonDocument.Parse(
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement;
        var results = body.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(alone.Detections(), results[0].Detections());
        Assert.Equal(
            alone.GetProperty("views").GetInt32(), results[0].GetProperty("views").GetInt32());
        Assert.True(results[1].TryGetProperty("views", out _));
    }

    [Fact]
    public async Task Detect_PackageWithViews_TakesThemAndTheRequestMayChangeThem()
    {
        using var folder = new ModelFolder();
        folder.Add(manifest: text => ModelFolder.Edit(
            text, "\"input\":", "\"views\": { \"slice\": \"500\", \"flip\": true },\n  \"input\":"));
        using var service = new RunningService(("Fpn:Models:Path", folder.Path));
        var given = await Client.DetectAsync(Wide, "slice=500&flip=true");
        var answer = await service.Client.DetectAsync(Wide);
        Assert.Equal(given.GetProperty("views").GetInt32(), answer.GetProperty("views").GetInt32());
        Assert.Equal(given.Detections(), answer.Detections());
        answer = await service.Client.DetectAsync(Wide, "flip=false");
        Assert.Equal((await Client.DetectAsync(Wide, "slice=500")).Detections(), answer.Detections());
        answer = await service.Client.DetectAsync(Wide, "slice=off&flip=false");
        Assert.Equal((await Client.DetectAsync(Wide)).Detections(), answer.Detections());
    }

    [Theory]
    [InlineData("slice=1", "slice")]
    [InlineData("slice=640,480", "slice")]
    [InlineData("slice=", "slice")]
    [InlineData("overlap=0.95", "overlap")]
    [InlineData("overlap=NaN", "overlap")]
    [InlineData("overlap=-0.1", "overlap")]
    [InlineData("wholeImage=yes", "wholeImage")]
    [InlineData("scales=16", "scales")]
    [InlineData("scales=480,", "scales")]
    [InlineData("scales=32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48", "scales")]
    [InlineData("flip=1", "flip")]
    [InlineData("merge=union", "merge")]
    [InlineData("mergeThreshold=1.1", "mergeThreshold")]
    [InlineData("slice=640&slice=480", "slice")]
    public async Task Detect_WrongParameter_IsNamed(string query, string parameter)
    {
        using var response = await Client.PostDetectAsync(Smear, query);
        await ProblemBody.AssertBadParameterAsync(response, parameter);
    }

    [Fact]
    public async Task Detect_TooManyViews_SaysHowManyThereWouldBe()
    {
        using var response = await Client.PostDetectAsync(Wide, "slice=32&overlap=0.9");
        var problem = await ProblemBody.AssertAsync(
            response, HttpStatusCode.RequestEntityTooLarge, "too-many-views");

        // A step of 4 pixels: 218 by 143 slices, and the whole image.
        Assert.Contains("31175 views; at most 64", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_ScaleTooLarge_SaysHowLargeTheViewWouldBe()
    {
        using var response = await Client.PostDetectAsync(Wide, "scales=16384");
        await ProblemBody.AssertAsync(response, HttpStatusCode.RequestEntityTooLarge, "too-many-pixels");
    }

    private static void RequireInside(JsonElement box, JsonElement region)
    {
        Assert.True(box.GetProperty("x1").GetDouble() >= region.GetProperty("x1").GetDouble());
        Assert.True(box.GetProperty("y1").GetDouble() >= region.GetProperty("y1").GetDouble());
        Assert.True(box.GetProperty("x2").GetDouble() <= region.GetProperty("x2").GetDouble());
        Assert.True(box.GetProperty("y2").GetDouble() <= region.GetProperty("y2").GetDouble());
    }
}
