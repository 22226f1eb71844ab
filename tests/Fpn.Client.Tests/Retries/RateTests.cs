using System.Net;
using Fpn.Client.Tests.Running;
using Fpn.Testing.Running;

namespace Fpn.Client.Tests.Retries;

/// <summary>The real service's 429: a key that has used up its rate.</summary>
[Collection(GuardedProcess.Collection)]
public sealed class RateTests(GuardedProcess service)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rate_UsedUp_SaysWhenToComeBack()
    {
        var client = service.CreateClient(GuardedProcess.Slow);
        await client.ListModelsAsync(Cancel);
        var problem = await Assert.ThrowsAsync<FpnProblemException>(() => client.ListModelsAsync(Cancel));
        Assert.Equal((HttpStatusCode.TooManyRequests, "rate-exceeded"), (problem.Status, problem.Type));
        Assert.InRange(problem.RetryAfter!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
    }

    /// <summary>A stream that can be sent once waits, unread, until the key may ask again.</summary>
    [Fact]
    public async Task Rate_RaisedMeanwhile_AStreamIsSentAfterTheWait()
    {
        const string Limits = "\"scopes\": [\"detect\"], \"requestsPerMinute\": 1, \"burst\": 1";
        using var keys = new KeyFile(KeyFile.Entry("bob", KeyFile.Bob, Limits));
        using var process = new ServiceProcess(
            GuardedProcess.Arguments($"--Fpn:Keys:File={keys.Path}", "--Fpn:Keys:ReloadInterval=100ms"));
        var clock = new ManualClock(held: true);
        var options = new FpnClientOptions { MaxRetryDelay = TimeSpan.FromMinutes(1) };
        using var http = new HttpClient(new FpnRetryHandler(options, clock) { InnerHandler = new SocketsHttpHandler() })
        {
            BaseAddress = await process.WaitForAddressAsync(),
        };
        http.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Bob);
        var client = new FpnClient(http);
        var expected = (await client.DetectAsync(Sample, cancellationToken: Cancel)).Detections;

        await using var stream = new OneWayStream(Sample);
        var call = client.DetectAsync(stream, cancellationToken: Cancel);
        await clock.WaitUntilWaitingAsync(call);
        Assert.InRange(Assert.Single(clock.Waits), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.Equal(0, stream.Taken);
        Assert.False(call.IsCompleted);

        keys.Write(KeyFile.Entry("bob", KeyFile.Bob));
        using var probe = new HttpClient { BaseAddress = http.BaseAddress };
        probe.DefaultRequestHeaders.Add("X-Api-Key", KeyFile.Bob);
        while ((await probe.GetAsync("models", Cancel)).StatusCode == HttpStatusCode.TooManyRequests)
        {
            // The file is looked at ten times a second.
            await Task.Yield();
        }

        clock.EndWait();
        Assert.Equal(expected, (await call).Detections);
        Assert.Single(clock.Waits);
    }
}
