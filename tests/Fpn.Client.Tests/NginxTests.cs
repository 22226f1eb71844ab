using System.Net;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests;

/// <summary>Through a real nginx with docker/nginx.conf, as <c>docker compose up</c> runs it.</summary>
public sealed class NginxTests
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryCall_ThroughNginx_IsAnsweredByTheService()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        using var service = new ServiceProcess(GuardedProcess.Arguments());
        var address = await service.WaitForAddressAsync();
        using var nginx = new NginxProcess(address, address);
        await nginx.WaitUntilListeningAsync();
        var client = new FpnClient(new HttpClient { BaseAddress = nginx.Address });

        var direct = new FpnClient(new HttpClient { BaseAddress = address });
        var expected = (await direct.DetectAsync(Sample, cancellationToken: Cancel)).Detections;
        Assert.Equal(expected, (await client.DetectAsync(Sample, cancellationToken: Cancel)).Detections);

        // Of unknown length: in chunks, and asked for by nginx before they are sent.
        await using var stream = new OneWayStream(Sample);
        Assert.Equal(expected, (await client.DetectAsync(stream, cancellationToken: Cancel)).Detections);

        await using var another = new OneWayStream(Sample);
        var items = await client.DetectBatchAsync(
            [Sample, "no picture"u8.ToArray(), another], cancellationToken: Cancel);
        Assert.Equal([true, false, true], items.Select(item => item.Succeeded));
        Assert.Equal(expected, items[2].Result!.Detections);

        await using (var picture = await client.RenderAsync(Sample, OutputFormat.Png, cancellationToken: Cancel))
        {
            var start = new byte[4];
            await picture.ReadExactlyAsync(start, Cancel);
            Assert.Equal("89504E47", Convert.ToHexString(start));
        }

        Assert.Equal("blood-cells", Assert.Single(await client.ListModelsAsync(Cancel)).Name);
        Assert.True(await client.IsReadyAsync(Cancel));

        // A problem of the service passes unchanged; one of nginx is as good.
        var unknown = await Assert.ThrowsAsync<FpnProblemException>(() => client.GetModelAsync("horses", Cancel));
        Assert.Equal("unknown-model", unknown.Type);
        var large = await Assert.ThrowsAsync<FpnProblemException>(
            () => client.DetectAsync(new byte[(20 << 20) + (1 << 20)], cancellationToken: Cancel));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "image-too-large"), (large.Status, large.Type));
    }

    /// <summary>No replica runs: nginx says when to come back, and then one runs.</summary>
    [Fact]
    public async Task NoReplica_UntilOneStarts_IsWaitedFor()
    {
        Assert.SkipWhen(NginxProcess.Absent is not null, NginxProcess.Absent ?? string.Empty);
        var address = new Uri($"http://127.0.0.1:{FreePort.Find()}/");
        using var nginx = new NginxProcess(address, address);
        await nginx.WaitUntilListeningAsync();
        var clock = new ManualClock(held: true);
        using var http = new HttpClient(
            new FpnRetryHandler(new FpnClientOptions(), clock) { InnerHandler = new SocketsHttpHandler() })
        {
            BaseAddress = nginx.Address,
        };
        var client = new FpnClient(http);
        var problem = await Assert.ThrowsAsync<FpnProblemException>(() => client.GetHealthAsync(Cancel));
        Assert.Equal(("no-replica", TimeSpan.FromSeconds(1)), (problem.Type, problem.RetryAfter));

        var call = client.DetectAsync(Sample, cancellationToken: Cancel);
        await clock.WaitUntilWaitingAsync(call);
        Assert.Equal(TimeSpan.FromSeconds(1), Assert.Single(clock.Waits));

        using var service = new ServiceProcess(GuardedProcess.Arguments("--urls", address.ToString()));
        await service.WaitForAddressAsync();
        while (!await client.IsReadyAsync(Cancel))
        {
            // Nginx leaves a replica alone for two seconds after it has failed.
            await Task.Yield();
        }

        clock.EndWait();
        Assert.NotEmpty((await call).Detections);
    }
}
