using System.Text;
using Fpn.Imaging.Pixels;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>
/// Bad requests cost nothing afterwards. Nothing else runs meanwhile: the whole process's memory is measured.
/// </summary>
[Trait("Speed", "slow")]
[Collection(Alone.Collection)]
public sealed class BadInputMemoryTests
{
    private static readonly byte[] Jpeg = File.ReadAllBytes(Checkout.SampleImage);

    /// <remarks>
    /// Buffer pools keep an array or two for every thread that ever used one, and the thread pool adds threads as it
    /// likes, so that a round may end a few hundred kilobytes higher. What leaks, leaks in every round: the least
    /// growth of a few rounds tells the two apart, down to half a kilobyte a request.
    /// </remarks>
    [Fact]
    public async Task Detect_AThousandBadRequests_LeaveMemoryWhereItWas()
    {
        const int Rounds = 4;
        using var service = new RunningService();
        var large = new byte[100_000_000];
        await SendBadRequestsAsync(service.Client, 200, large);
        var before = Settle(service);
        var leastGrowth = long.MaxValue;
        for (var round = 0; round < Rounds && leastGrowth > 512 << 10; round++)
        {
            await SendBadRequestsAsync(service.Client, 1000, large);
            var after = Settle(service);
            Assert.Equal(0, NativeImageMemory.HeldBytes);
            Assert.InRange(after.Native, 0, before.Native + (64 << 10));
            leastGrowth = Math.Min(leastGrowth, after.Managed - before.Managed);
            before = (after.Managed, before.Native);
        }

        Assert.InRange(leastGrowth, long.MinValue, 512 << 10);
        Assert.NotEmpty((await service.Client.DetectAsync(Jpeg)).Detections());
        GC.KeepAlive(large);
    }

    /// <summary>
    /// Sends every kind of bad request in turn; the large body twice in a hundred, once announced and once in chunks.
    /// </summary>
    private static async Task SendBadRequestsAsync(HttpClient client, int count, byte[] large)
    {
        var random = new Random(7);
        var png = MadePng.OnePixel();
        for (var i = 0; i < count; i++)
        {
            (string Query, HttpContent Content) bad = (i % 10) switch
            {
                0 => (string.Empty, Body(Jpeg[..random.Next(1, Jpeg.Length)])),
                1 => (string.Empty, Body(MadePng.Header((uint)random.Next(), (uint)random.Next()))),
                2 => (string.Empty, Body(Encoding.ASCII.GetBytes($"not a picture, number {i}"))),
                3 => (string.Empty, Body([.. png[..^16], .. BitConverter.GetBytes(random.Next())])),
                4 => (string.Empty, Body([])),
                5 => (string.Empty, new MultipartFormDataContent { { Body(Jpeg), "picture" } }),
                6 => (string.Empty, new MultipartFormDataContent { { Body(Jpeg), "image" }, { Body(Jpeg), "image" } }),
                7 => ("model=cells", Body(Jpeg)),
                8 => ("scoreThreshold=abc", Body(Jpeg)),
                _ when i % 100 == 9 => (string.Empty, Body(large)),
                _ when i % 100 == 19 => (string.Empty, new StreamContent(new MemoryStream(large, 0, 21 << 20))),
                _ => (string.Empty, Body(png[..^20])),
            };
            using var request =
                new HttpRequestMessage(HttpMethod.Post, $"detect?{bad.Query}") { Content = bad.Content };
            request.Headers.TransferEncodingChunked = bad.Content is StreamContent;
            using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.InRange((int)response.StatusCode, 400, 499);
        }
    }

    private static ByteArrayContent Body(byte[] bytes) => new(bytes);

    private static (long Managed, long Native) Settle(RunningService service)
    {
        service.Log.Clear();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return (GC.GetTotalMemory(forceFullCollection: true), NativeImageMemory.TrackedBytes);
    }
}
