using System.Globalization;
using System.Net;
using System.Text.Json;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>What <c>POST /detect</c> answers when all is well.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class DetectionTests(ServiceFixture fixture)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static readonly string[] PooledLevels = ["p2", "p3", "p4", "p5"];

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_Sample_HasExactlyTheContractsProperties()
    {
        var answer = await Client.DetectAsync(Sample);

        Assert.Equal(["model", "modelVersion", "image", "detections", "timings", "batchSize"], Names(answer));
        Assert.Equal("blood-cells", answer.GetProperty("model").GetString());
        Assert.NotEmpty(answer.GetProperty("modelVersion").GetString()!);
        Assert.Equal(["width", "height", "format"], Names(answer.GetProperty("image")));
        Assert.Equal(
            ["decodeMs", "preprocessMs", "queueMs", "inferenceMs", "postprocessMs", "totalMs"],
            Names(answer.GetProperty("timings")));
        Assert.Equal(1, answer.GetProperty("batchSize").GetInt32());
        Assert.NotEmpty(answer.Detections());
        foreach (var detection in answer.GetProperty("detections").EnumerateArray())
        {
            Assert.Equal(["label", "classId", "score", "box", "level"], Names(detection));
            Assert.Equal(["x1", "y1", "x2", "y2"], Names(detection.GetProperty("box")));
        }
    }

    [Fact]
    public async Task Detect_Sample_BoxesLieInsideWithFewDecimals()
    {
        var answer = await Client.DetectAsync(Sample);

        var image = answer.GetProperty("image");
        var (width, height) = (image.GetProperty("width").GetDouble(), image.GetProperty("height").GetDouble());
        foreach (var detection in answer.GetProperty("detections").EnumerateArray())
        {
            var box = detection.GetProperty("box");
            Assert.All(box.EnumerateObject(), side => Assert.InRange(Decimals(side.Value), 0, 3));
            Assert.InRange(box.GetProperty("x1").GetDouble(), 0, box.GetProperty("x2").GetDouble());
            Assert.InRange(box.GetProperty("y1").GetDouble(), 0, box.GetProperty("y2").GetDouble());
            Assert.InRange(box.GetProperty("x2").GetDouble(), 0, width);
            Assert.InRange(box.GetProperty("y2").GetDouble(), 0, height);
            Assert.InRange(Decimals(detection.GetProperty("score")), 0, 5);
            Assert.InRange(detection.GetProperty("score").GetDouble(), 0.05, 1);
            Assert.Contains(detection.GetProperty("level").GetString(), PooledLevels);
        }
    }

    [Fact]
    public async Task Detect_Sample_ClassIdsCountLabelsFromOne()
    {
        string[] labels = ["RBC", "WBC", "Platelets"];
        var answer = await Client.DetectAsync(Sample);
        Assert.All(
            answer.GetProperty("detections").EnumerateArray(),
            detection => Assert.Equal(
                labels[detection.GetProperty("classId").GetInt32() - 1], detection.GetProperty("label").GetString()));
    }

    [Theory]
    [InlineData("smear-480x640.jpg")]
    [InlineData("crowded-480x800.jpg")]
    [InlineData("large-900x1200.jpg")]
    public async Task Detect_ManyObjects_BestScoreFirstThenSmallerClassId(string name)
    {
        var answer = await Client.DetectAsync(MadeImages.Read(name));

        var order = answer.GetProperty("detections").EnumerateArray()
            .Select(detection => (
                Score: detection.GetProperty("score").GetDouble(),
                Class: detection.GetProperty("classId").GetInt32()))
            .ToArray();
        Assert.True(order.Length > 10, $"{order.Length} detections prove little");
        Assert.Equal(order.OrderByDescending(key => key.Score).ThenBy(key => key.Class), order);
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("image/png")]
    [InlineData("text/plain; charset=utf-8")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json")]
    [InlineData("not a media type")]
    [InlineData(null)]
    public async Task Detect_AnyContentType_IsSniffed(string? contentType)
    {
        using var response = await Client.PostDetectAsync(Sample, contentType: contentType);
        var answer = await response.ReadDetectionAsync();
        Assert.Equal("jpeg", answer.GetProperty("image").GetProperty("format").GetString());
        Assert.NotEmpty(answer.Detections());
    }

    [Fact]
    public async Task Detect_Form_AnswersAsTheRawBodyDoes()
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(Sample), "image", "smear.jpg" } };
        using var response = await Client.PostAsync("detect", form, Cancel);
        var answer = await response.ReadDetectionAsync();
        Assert.Equal((await Client.DetectAsync(Sample)).Detections(), answer.Detections());
    }

    [Fact]
    public async Task Detect_ChunkedBody_AnswersAsTheRawBodyDoes()
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "detect") { Content = new StreamContent(new MemoryStream(Sample)) };
        request.Headers.TransferEncodingChunked = true;
        using var response = await Client.SendAsync(request, Cancel);
        Assert.Equal(
            (await Client.DetectAsync(Sample)).Detections(), (await response.ReadDetectionAsync()).Detections());
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("*/*")]
    [InlineData("application/*;q=0.1, text/html")]
    [InlineData("application/json; charset=utf-8")]
    public async Task Detect_AcceptCoversJson_Is200(string accept)
    {
        using var request =
            new HttpRequestMessage(HttpMethod.Post, "detect") { Content = new ByteArrayContent(Sample) };
        Assert.True(request.Headers.TryAddWithoutValidation("Accept", accept));
        using var response = await Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Detect_Timings_AddUpAndAreTheServerTimingHeader()
    {
        using var response = await Client.PostDetectAsync(Sample);
        var timings = (await response.ReadDetectionAsync()).GetProperty("timings");

        string[] stages = ["decode", "preprocess", "queue", "inference", "postprocess"];
        var durations = stages.Select(stage => timings.GetProperty($"{stage}Ms").GetDouble()).ToArray();
        var total = timings.GetProperty("totalMs").GetDouble();
        Assert.All(durations, duration => Assert.InRange(duration, 0, total));
        Assert.True(
            timings.GetProperty("decodeMs").GetDouble() > 0 && timings.GetProperty("inferenceMs").GetDouble() > 0);

        // Six numbers, each rounded to a thousandth.
        Assert.InRange(durations.Sum(), total - 0.004, total + 0.004);
        var expected = stages.Append("total").Zip(durations.Append(total))
            .Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.First};dur={pair.Second}"));
        Assert.Equal(string.Join(", ", expected), Assert.Single(response.Headers.GetValues("Server-Timing")));
    }

    [Fact]
    public async Task Detect_ScoreThreshold_KeepsReportedScoresAtLeastIt()
    {
        var all = await Client.DetectAsync(Sample);
        var scores = all.GetProperty("detections")
            .EnumerateArray().Select(detection => detection.GetProperty("score").GetDouble()).ToArray();

        // Each reported score is a threshold that its own detection passes, whichever way it was rounded.
        foreach (var threshold in scores.Distinct().Where((_, index) => index % 4 == 0))
        {
            var kept = await Client.DetectAsync(
                Sample, string.Create(CultureInfo.InvariantCulture, $"scoreThreshold={threshold}"));
            Assert.Equal(all.Detections().Take(scores.Count(score => score >= threshold)), kept.Detections());
        }
    }

    [Theory]
    [InlineData("scoreThreshold=0")]
    [InlineData("scoreThreshold=0.01")]
    [InlineData("scoreThreshold=5e-2")]
    [InlineData("maxDetections=2147483647")]
    [InlineData("labels=RBC,WBC,Platelets")]
    [InlineData("format=json")]
    [InlineData("model=blood-cells")]
    public async Task Detect_ParameterThatAllows_ChangesNothing(string query)
    {
        var all = await Client.DetectAsync(Sample);
        Assert.Equal(all.Detections(), (await Client.DetectAsync(Sample, query)).Detections());
    }

    [Fact]
    public async Task Detect_MaxDetections_KeepsTheBest()
    {
        var all = await Client.DetectAsync(Sample);
        Assert.Equal(all.Detections().Take(3), (await Client.DetectAsync(Sample, "maxDetections=3")).Detections());
    }

    [Theory]
    [InlineData("WBC")]
    [InlineData("RBC,Platelets")]
    [InlineData("Platelets, RBC")]
    public async Task Detect_Labels_AreAppliedLast(string labels)
    {
        var names = labels.Split(',', StringSplitOptions.TrimEntries);
        var all = await Client.DetectAsync(Sample);
        foreach (var most in new[] { 3, 12, 100 })
        {
            var expected = all.GetProperty("detections").EnumerateArray().Take(most)
                .Where(detection => names.Contains(detection.GetProperty("label").GetString()))
                    .Select(detection => detection.GetRawText());
            var kept = await Client.DetectAsync(Sample, $"maxDetections={most}&labels={Uri.EscapeDataString(labels)}");
            Assert.Equal(expected, kept.Detections());
        }
    }

    [Fact]
    public async Task Detect_NothingInTheImage_IsAnEmptyList() =>
        Assert.Empty((await Client.DetectAsync(MadeImages.Read("blank-256x256.png"))).Detections());

    [Fact]
    public async Task Detect_OnePixel_Is200WithItsSize() =>
        AssertImage(await Client.DetectAsync(MadeImages.Read("pixel-1x1.png")), 1, 1, "png");

    [Theory]
    [InlineData("exif6-480x360.jpg", 360, 480)]
    [InlineData("exif3-300x420.jpg", 420, 300)]
    public async Task Detect_ExifOrientation_SizeIsAsDisplayed(string name, int width, int height)
    {
        var answer = await Client.DetectAsync(MadeImages.Read(name));
        AssertImage(answer, width, height, "jpeg");

        // Boxes are in the turned image: some reach beyond where it would end if it were not turned.
        Assert.All(answer.GetProperty("detections").EnumerateArray(), detection =>
        {
            Assert.InRange(detection.GetProperty("box").GetProperty("x2").GetDouble(), 0, width);
            Assert.InRange(detection.GetProperty("box").GetProperty("y2").GetDouble(), 0, height);
        });
        Assert.Contains(
            answer.GetProperty("detections").EnumerateArray(),
            detection => detection.GetProperty("box").GetProperty("y2").GetDouble() > 0.9 * height);
    }

    [Fact]
    [Trait("Speed", "slow")]
    public async Task Detect_SixteenAtOnce_EachAnswersAsAlone()
    {
        var images = MadeImages.All.Concat(MadeImages.All).Take(16).Select(MadeImages.Read).ToArray();
        var alone = new Dictionary<byte[], string[]>();
        foreach (var image in images)
        {
            alone[image] = (await Client.DetectAsync(image)).Detections();
        }

        var together = await Task.WhenAll(images.Select(image => Client.DetectAsync(image)));
        Assert.All(together.Zip(images), pair => Assert.Equal(alone[pair.Second], pair.First.Detections()));
    }

    private static IEnumerable<string> Names(JsonElement element) =>
        element.EnumerateObject().Select(property => property.Name);

    private static int Decimals(JsonElement number)
    {
        var text = number.GetRawText();
        Assert.DoesNotContain('E', text);
        var point = text.IndexOf('.', StringComparison.Ordinal);
        return point < 0 ? 0 : text.Length - point - 1;
    }

    private static void AssertImage(JsonElement answer, int width, int height, string format)
    {
        var image = answer.GetProperty("image");
        Assert.Equal(
            (width, height, format),
            (
                image.GetProperty("width").GetInt32(),
                image.GetProperty("height").GetInt32(),
                image.GetProperty("format").GetString()));
    }
}
