using System.Net;
using Fpn.Client.Tests.Running;

namespace Fpn.Client.Tests.Retries;

/// <summary>What a retry sends: the whole body, or nothing where it is gone.</summary>
public sealed class BodyTests
{
    private static readonly byte[] Image = [.. Enumerable.Range(0, 100_000).Select(index => (byte)(index * 31))];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string> Sources => ["bytes", "stream", "file"];

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task Retry_OfABodyThatCanBeSentAgain_SendsAllOfIt(string source)
    {
        var bodies = new List<byte[]>();
        var stub = new StubHandler(
            Reading(bodies, StubHandler.Refuse), Reading(bodies, Busy), Reading(bodies, Refused));
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(file, [9, .. Image], Cancel);
            await using var stream = new MemoryStream([9, .. Image]) { Position = 1 };
            var image = source switch
            {
                "bytes" => (byte[])[9, .. Image],
                "stream" => stream,
                _ => ImageSource.FromFile(file),
            };
            await AssertRefusedAsync(
                stub.ClientWithRetries(new ManualClock()).DetectAsync(image, cancellationToken: Cancel));
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(3, bodies.Count);
        Assert.All(bodies, body => Assert.Equal(source == "stream" ? Image : [9, .. Image], body));
    }

    [Fact]
    public async Task Retry_OfABatch_SendsAllOfIt()
    {
        var bodies = new List<byte[]>();
        var stub = new StubHandler(Reading(bodies, Busy), Reading(bodies, Refused));
        await using var stream = new MemoryStream(Image);
        await AssertRefusedAsync(
            stub.ClientWithRetries(new ManualClock()).DetectBatchAsync([Image, stream], cancellationToken: Cancel));
        Assert.Equal(2, bodies.Count);
        Assert.True(bodies[0].Length > 2 * Image.Length);
        Assert.Equal(bodies[0], bodies[1]);
    }

    /// <summary>A stream that cannot seek is gone once it was read: the first answer is the last.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stream_ThatWasReadAndCannotSeek_IsNotSentAgain(bool inBatch)
    {
        var bodies = new List<byte[]>();
        var stub = new StubHandler(Reading(bodies, Busy), Reading(bodies, Refused));
        await using var stream = new OneWayStream(Image);
        var client = stub.ClientWithRetries(new ManualClock());
        Task call = inBatch
            ? client.DetectBatchAsync([Image, stream], cancellationToken: Cancel)
            : client.DetectAsync(stream, cancellationToken: Cancel);
        var problem = await Assert.ThrowsAsync<FpnProblemException>(() => call);
        Assert.Equal(
            (HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(3)), (problem.Status, problem.RetryAfter));
        Assert.Single(bodies);
        Assert.Equal(Image.Length, stream.Taken);
    }

    /// <summary>Refused before a byte of it was read, the same stream can still be sent.</summary>
    [Fact]
    public async Task Stream_ThatWasNotRead_IsSentAfterARetry()
    {
        var bodies = new List<byte[]>();
        var stub = new StubHandler(StubHandler.Refuse, Busy, Reading(bodies, Refused));
        await using var stream = new OneWayStream(Image);
        await AssertRefusedAsync(
            stub.ClientWithRetries(new ManualClock()).DetectAsync(stream, cancellationToken: Cancel));
        Assert.Equal(3, stub.Requests.Count);
        Assert.Equal(Image, Assert.Single(bodies));
    }

    /// <summary>The caller's stream fails, not the connection.</summary>
    [Fact]
    public async Task Stream_ThatFails_IsNotSentAgain()
    {
        var stub = new StubHandler(Reading([], Busy));
        await using var stream = new UnpluggedStream();
        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => stub.ClientWithRetries(new ManualClock()).DetectAsync(stream, cancellationToken: Cancel));
        Assert.Equal("Unplugged.", failure.InnerException?.Message);
        Assert.Single(stub.Requests);
    }

    /// <summary>Each piece is sent before the next is read: an image is never held whole.</summary>
    [Fact]
    public async Task Stream_IsSentWhileItIsRead()
    {
        using var sent = new MemoryStream();
        var stub = new StubHandler(async request =>
        {
            await request.Content!.CopyToAsync(sent, Cancel);
            return await Refused(request);
        });
        var read = new List<(int Taken, long Sent)>();
        await using var stream = new OneWayStream(Image, taken =>
        {
            read.Add((taken, sent.Length));
            return Task.CompletedTask;
        });
        await AssertRefusedAsync(stub.Client().DetectAsync(stream, cancellationToken: Cancel));
        Assert.True(read.Count > 2);
        Assert.All(read, piece => Assert.Equal(piece.Taken, piece.Sent));
        Assert.Equal(Image, sent.ToArray());
    }

    /// <summary>Can seek, as a file on a drive that is gone.</summary>
    private sealed class UnpluggedStream() : MemoryStream(Image)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            throw new IOException("Unplugged.");
    }

    private static Task<HttpResponseMessage> Busy(HttpRequestMessage request) =>
        StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "3")(request);

    /// <summary>Ends a call: no retry follows.</summary>
    private static Task<HttpResponseMessage> Refused(HttpRequestMessage request) =>
        StubHandler.Answer(HttpStatusCode.UnprocessableEntity)(request);

    /// <summary>Reads the body, as a connection does, before it answers.</summary>
    private static Func<HttpRequestMessage, Task<HttpResponseMessage>> Reading(
        List<byte[]> bodies, Func<HttpRequestMessage, Task<HttpResponseMessage>> answer) =>
        async request =>
        {
            using var body = new MemoryStream();
            await request.Content!.CopyToAsync(body, Cancel);
            bodies.Add(body.ToArray());
            return await answer(request);
        };

    private static async Task AssertRefusedAsync(Task call) =>
        Assert.Equal(
            HttpStatusCode.UnprocessableEntity, (await Assert.ThrowsAsync<FpnProblemException>(() => call)).Status);
}
