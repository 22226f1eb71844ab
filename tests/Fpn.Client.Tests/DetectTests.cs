using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests;

/// <summary>One image, against the real service: what the client reports is what the service answered.</summary>
[Collection(GuardedProcess.Collection)]
public sealed class DetectTests(GuardedProcess service)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_Bytes_ReportsWhatTheServiceAnswers()
    {
        var result = await service.CreateClient().DetectAsync(Sample, cancellationToken: Cancel);
        var expected = await AskAsync("detect");
        Assert.Equal(expected.GetProperty("model").GetString(), result.Model);
        Assert.Equal(expected.GetProperty("modelVersion").GetString(), result.ModelVersion);
        Assert.Equal(new ImageInfo { Width = 640, Height = 480, Format = "jpeg" }, result.Image);
        Assert.Equal(1, result.BatchSize);
        Assert.Null(result.Explanation);
        Assert.True(result.Timings.TotalMs >= result.Timings.InferenceMs && result.Timings.InferenceMs > 0);
        Assert.NotEmpty(result.Detections);
        Assert.Equal(Detections(expected), result.Detections);
    }

    [Fact]
    public async Task Detect_FromEverySource_IsTheSame()
    {
        var client = service.CreateClient();
        var expected = (await client.DetectAsync(Sample, cancellationToken: Cancel)).Detections;

        // Bytes before the position are not part of the image.
        await using var seekable = new MemoryStream([1, 2, 3, .. Sample]) { Position = 3 };
        await using var oneWay = new OneWayStream(Sample);
        foreach (var source in (ImageSource[])
            [new ReadOnlyMemory<byte>(Sample), seekable, oneWay, ImageSource.FromFile(Checkout.SampleImage)])
        {
            Assert.Equal(expected, (await client.DetectAsync(source, cancellationToken: Cancel)).Detections);
        }

        Assert.True(seekable.CanRead, "The stream is the caller's, and was disposed.");
    }

    /// <summary>Every option arrives: each answer is that of the query written by hand.</summary>
    [Fact]
    public async Task Detect_Options_AreTheServicesParameters()
    {
        var client = service.CreateClient();
        var options = new DetectOptions
        {
            Model = "blood-cells",
            ScoreThreshold = 0.85,
            MaxDetections = 7,
            Labels = ["RBC", "WBC"],
            Priority = DetectPriority.Low,
            Deadline = TimeSpan.FromSeconds(25),
        };
        var result = await client.DetectAsync(Sample, options, Cancel);
        Assert.Equal(
            Detections(await AskAsync("detect?scoreThreshold=0.85&maxDetections=7&labels=RBC,WBC")), result.Detections);
        Assert.NotEqual(Detections(await AskAsync("detect")), result.Detections);

        var white = await client.DetectAsync(Sample, new DetectOptions { Labels = ["WBC"] }, Cancel);
        Assert.All(white.Detections, detection => Assert.Equal("WBC", detection.Label));
        Assert.NotEmpty(white.Detections);
    }

    [Fact]
    public async Task Detect_Views_AreTheServicesParameters()
    {
        var client = service.CreateClient();
        var slices = new ViewOptions
        {
            Slice = (300, 400),
            Overlap = 0.25,
            WholeImage = false,
            Merge = MergeMethod.Ios,
        };
        var result = await client.DetectAsync(Sample, new DetectOptions { Views = slices }, Cancel);
        var asked = await AskAsync("detect?slice=300x400&overlap=0.25&wholeImage=false&merge=ios");
        Assert.Equal(Detections(asked), result.Detections);
        Assert.Equal(asked.GetProperty("views").GetInt32(), result.Views);

        var scales = new ViewOptions
        {
            Scales = [320, 448],
            Flip = true,
            Merge = MergeMethod.Voting,
            MergeThreshold = 0.7,
        };
        result = await client.DetectAsync(Sample, new DetectOptions { Views = scales }, Cancel);
        asked = await AskAsync("detect?scales=320,448&flip=true&merge=voting&mergeThreshold=0.7");
        Assert.Equal(Detections(asked), result.Detections);
        Assert.Equal(4, result.Views);
        Assert.Null((await client.DetectAsync(Sample, cancellationToken: Cancel)).Views);
    }

    [Fact]
    public async Task Detect_Explain_TellsWhereEachDetectionComesFrom()
    {
        var result = await service.CreateClient().DetectAsync(Sample, new DetectOptions { Explain = true }, Cancel);
        var explanation = result.Explanation;
        Assert.NotNull(explanation);
        Assert.Equal(result.Detections.Count, explanation.Detections.Count);
        Assert.True(explanation.Candidates >= result.Detections.Count);
        Assert.All(explanation.Detections, (origin, index) =>
        {
            Assert.Equal(result.Detections[index].Level, origin.Level);
            Assert.Equal(explanation.Proposals[origin.ProposalIndex], origin.Proposal);
            Assert.True(origin.Anchor is { Size: > 0, AspectRatio: > 0 });
        });
        Assert.Contains(explanation.Detections, origin => origin.Suppressed.Any(box => box.Iou > 0));
    }

    /// <summary>Headers are heard: the key may not be urgent, and no answer comes within a millisecond.</summary>
    [Theory]
    [InlineData(DetectPriority.High, null, HttpStatusCode.Forbidden, "priority-not-allowed")]
    [InlineData(DetectPriority.Normal, 1, HttpStatusCode.GatewayTimeout, "deadline-passed")]
    public async Task Detect_PriorityAndDeadline_AreHeard(
        DetectPriority priority, int? milliseconds, HttpStatusCode status, string type)
    {
        var options = new DetectOptions
        {
            Priority = priority,
            Deadline = milliseconds is { } count ? TimeSpan.FromMilliseconds(count) : null,
        };
        var problem = await Assert.ThrowsAsync<FpnProblemException>(
            () => service.CreateClient().DetectAsync(Sample, options, Cancel));
        Assert.Equal((status, type), (problem.Status, problem.Type));
    }

    [Fact]
    public async Task Render_EveryFormat_IsThatFormat()
    {
        var client = service.CreateClient();
        var options = new DetectOptions { ImageId = 7, ScoreThreshold = 0.5 };
        var found = (await client.DetectAsync(Sample, options, Cancel)).Detections;

        Assert.Equal("89504E470D0A1A0A", Convert.ToHexString((await ReadAsync(OutputFormat.Png))[..8]));
        Assert.Equal("FFD8FF", Convert.ToHexString((await ReadAsync(OutputFormat.Jpeg))[..3]));

        using var coco = JsonDocument.Parse(await ReadAsync(OutputFormat.Coco));
        Assert.Equal(found.Select(item => (7L, item.Score)), coco.RootElement.EnumerateArray()
            .Select(item => (item.GetProperty("image_id").GetInt64(), item.GetProperty("score").GetDouble())));

        using var voc = new MemoryStream(await ReadAsync(OutputFormat.Voc));
        Assert.Equal(found.Select(item => item.Label), System.Xml.Linq.XDocument.Load(voc)
            .Descendants("object").Select(item => item.Element("name")!.Value));

        var yolo = System.Text.Encoding.UTF8.GetString(await ReadAsync(OutputFormat.Yolo));
        Assert.Equal(found.Count, yolo.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);

        async Task<byte[]> ReadAsync(OutputFormat format)
        {
            await using var stream = await client.RenderAsync(Sample, format, options, Cancel);
            using var memory = new MemoryStream();
            await stream.CopyToAsync(memory, Cancel);
            return memory.ToArray();
        }
    }

    [Fact]
    public async Task Detect_CanceledWhileItUploads_EndsAtOnce()
    {
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        await using var endless = new OneWayStream(Sample, async taken =>
        {
            if (taken > 0)
            {
                await source.CancelAsync();
                await new TaskCompletionSource().Task;
            }
        });
        var client = service.CreateClient();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => client.DetectAsync(endless, cancellationToken: source.Token));
        Assert.NotEmpty((await client.DetectAsync(Sample, cancellationToken: Cancel)).Detections);
    }

    private async Task<JsonElement> AskAsync(string path)
    {
        using var http = service.CreateHttp();
        using var response = await http.PostAsync(path, new ByteArrayContent(Sample), Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    /// <summary>Read by hand, member by member.</summary>
    private static IEnumerable<DetectedObject> Detections(JsonElement answer) =>
        answer.GetProperty("detections").EnumerateArray().Select(item => new DetectedObject
        {
            Label = item.GetProperty("label").GetString()!,
            ClassId = item.GetProperty("classId").GetInt32(),
            Score = item.GetProperty("score").GetDouble(),
            Level = item.GetProperty("level").GetString(),
            Box = new BoundingBox(Edge(item, "x1"), Edge(item, "y1"), Edge(item, "x2"), Edge(item, "y2")),
        });

    private static double Edge(JsonElement detection, string name) =>
        detection.GetProperty("box").GetProperty(name).GetDouble();
}
