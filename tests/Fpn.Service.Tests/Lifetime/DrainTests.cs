using System.Net;
using Fpn.Service.Lifetime;
using Fpn.Testing.Fakes;
using Fpn.Testing.Running;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Service.Tests.Lifetime;

/// <summary>Between SIGTERM and the closing of the port.</summary>
public sealed class DrainTests
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stopping_Delay_LastsThatLong()
    {
        var clock = new FakeClock();
        var drain = new Drain(
            new ShutdownOptions { Delay = TimeSpan.FromSeconds(5) }, clock, NullLogger<Drain>.Instance);
        Assert.False(drain.HasBegun);
        var stopping = drain.StoppingAsync(Cancel);
        Assert.True(drain.HasBegun);
        clock.Advance(TimeSpan.FromSeconds(4.999));
        Assert.False(stopping.IsCompleted);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        await stopping;
    }

    [Fact]
    public void Stopping_NoDelay_EndsAtOnce()
    {
        var drain = new Drain(new ShutdownOptions(), new FakeClock(), NullLogger<Drain>.Instance);
        Assert.True(drain.StoppingAsync(Cancel).IsCompletedSuccessfully);
        Assert.True(drain.HasBegun);
    }

    [Fact]
    public async Task Stopping_TimeoutFirst_EndsWithoutAnException()
    {
        using var timeout = new CancellationTokenSource();
        var drain = new Drain(
            new ShutdownOptions { Delay = TimeSpan.FromSeconds(5) }, new FakeClock(), NullLogger<Drain>.Instance);
        var stopping = drain.StoppingAsync(timeout.Token);
        await timeout.CancelAsync();
        await stopping;
    }

    /// <summary>The drain is begun by hand, so that the port stays open as long as the test needs it.</summary>
    [Fact]
    public async Task Draining_Service_IsNotReadyAndServesWithoutKeepingConnections()
    {
        using var service = new RunningService();
        using (var ready = await service.Client.GetAsync("health/ready", Cancel))
        {
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
            Assert.NotEqual(true, ready.Headers.ConnectionClose);
        }

        var drain = (Drain)service.Services.GetService(typeof(Drain))!;
        await drain.StoppingAsync(Cancel);
        using (var ready = await service.Client.GetAsync("health/ready", Cancel))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            Assert.True(ready.Headers.ConnectionClose);
        }

        using (var live = await service.Client.GetAsync("health/live", Cancel))
        {
            Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        }

        using var response = await service.Client.PostDetectAsync(Sample);
        Assert.True(response.Headers.ConnectionClose);
        Assert.NotEmpty((await response.ReadDetectionAsync()).Detections());
    }
}
