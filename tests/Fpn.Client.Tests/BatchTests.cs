using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests;

/// <summary>Several images, against the real service.</summary>
[Collection(GuardedProcess.Collection)]
public sealed class BatchTests(GuardedProcess service)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task DetectBatch_WithDamagedImages_AnswersEachInItsPlace()
    {
        var client = service.CreateClient();
        await using var oneWay = new OneWayStream(Sample);
        var items = await client.DetectBatchAsync(
            [Sample, "no picture"u8.ToArray(), ImageSource.FromFile(Checkout.WideImage), Sample[..1000], oneWay],
            cancellationToken: Cancel);

        Assert.Equal([true, false, true, false, true], items.Select(item => item.Succeeded));
        var single = await client.DetectAsync(Sample, cancellationToken: Cancel);
        Assert.Equal(single.Detections, items[0].Result!.Detections);
        Assert.Equal(900, items[2].Result!.Image.Width);
        Assert.Equal(single.Detections, items[4].Result!.Detections);

        Assert.Null(items[1].Result);
        Assert.Equal((415, "unsupported-image-format"), (items[1].Problem!.Status, items[1].Problem!.Type));
        Assert.Equal((422, "undecodable-image"), (items[3].Problem!.Status, items[3].Problem!.Type));
        Assert.NotNull(items[1].Problem!.TraceId);
        Assert.NotNull(items[1].Problem!.Detail);
    }

    [Fact]
    public async Task DetectBatch_Options_HoldForEachImage()
    {
        var items = await service.CreateClient()
            .DetectBatchAsync([Sample, Sample], new DetectOptions { MaxDetections = 2 }, Cancel);
        Assert.Equal([2, 2], items.Select(item => item.Result!.Detections.Count));
    }

    [Fact]
    public async Task DetectBatch_Nothing_IsAProblemOfTheWhole()
    {
        var problem = await Assert.ThrowsAsync<FpnProblemException>(
            () => service.CreateClient().DetectBatchAsync([], cancellationToken: Cancel));
        Assert.Equal(400, problem.Problem.Status);
    }

    [Fact]
    public async Task DetectBatch_AFileThatIsAbsent_FailsBeforeAnythingIsSent()
    {
        var stub = new StubHandler(StubHandler.Answer(System.Net.HttpStatusCode.OK));
        await Assert.ThrowsAsync<FileNotFoundException>(
            () => stub.Client().DetectBatchAsync(
                [Sample, ImageSource.FromFile("absent.jpg")], cancellationToken: Cancel));
        Assert.Empty(stub.Requests);
    }
}
