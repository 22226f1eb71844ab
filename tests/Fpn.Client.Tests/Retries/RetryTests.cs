using System.Net;
using Fpn.Client.Tests.Running;

namespace Fpn.Client.Tests.Retries;

/// <summary>When a request is sent again, and after which wait; nothing waits in earnest.</summary>
public sealed class RetryTests
{
    private const string Models = """{"models": []}""";

    private static readonly Func<HttpRequestMessage, Task<HttpResponseMessage>> Success =
        StubHandler.Answer(HttpStatusCode.OK, Models);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(HttpStatusCode.TooManyRequests)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    public async Task RetryAfter_InSeconds_IsWaitedExactly(HttpStatusCode status)
    {
        var clock = new ManualClock();
        var stub = new StubHandler(StubHandler.Answer(status, retryAfter: "7"), Success);
        Assert.Empty(await stub.ClientWithRetries(clock).ListModelsAsync(Cancel));
        Assert.Equal(2, stub.Requests.Count);
        Assert.Equal([TimeSpan.FromSeconds(7)], clock.Waits);
    }

    [Fact]
    public async Task RetryAfter_ADate_IsCountedFromNow()
    {
        var clock = new ManualClock();
        var date = (clock.GetUtcNow() + TimeSpan.FromSeconds(12)).ToString("r");
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: date), Success);
        await stub.ClientWithRetries(clock).ListModelsAsync(Cancel);
        Assert.Equal([TimeSpan.FromSeconds(12)], clock.Waits);
    }

    /// <summary>Before the wait is over nothing is sent.</summary>
    [Fact]
    public async Task RetryAfter_WhileItLasts_NothingIsSent()
    {
        var clock = new ManualClock(held: true);
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "7"), Success);
        var call = stub.ClientWithRetries(clock).ListModelsAsync(Cancel);
        await clock.WaitUntilWaitingAsync(call);
        Assert.Single(stub.Requests);
        Assert.False(call.IsCompleted);
        clock.EndWait();
        await call;
        Assert.Equal(2, stub.Requests.Count);
    }

    /// <summary>The service is not asked earlier than it said, and the caller does not wait beyond its
    /// limits.</summary>
    [Theory]
    [InlineData(5, 100, "6")]
    [InlineData(600, 60, "60")]
    public async Task RetryAfter_BeyondTheLimits_IsReportedAtOnce(int maxDelay, int timeout, string retryAfter)
    {
        var clock = new ManualClock();
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.TooManyRequests, retryAfter: retryAfter), Success);
        var options = new FpnClientOptions
        {
            MaxRetryDelay = TimeSpan.FromSeconds(maxDelay),
            Timeout = TimeSpan.FromSeconds(timeout),
        };
        var problem = await Assert.ThrowsAsync<FpnProblemException>(
            () => stub.ClientWithRetries(clock, options).ListModelsAsync(Cancel));
        Assert.Equal(TimeSpan.FromSeconds(int.Parse(retryAfter)), problem.RetryAfter);
        Assert.Single(stub.Requests);
        Assert.Empty(clock.Waits);
    }

    /// <summary>Waits add up: 40 seconds twice fit into 100, a third time does not.</summary>
    [Fact]
    public async Task RetryAfter_Repeated_EndsBeforeTheTimeout()
    {
        var clock = new ManualClock();
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "40"));
        var options = new FpnClientOptions { MaxRetryDelay = TimeSpan.FromSeconds(60) };
        await Assert.ThrowsAsync<FpnProblemException>(
            () => stub.ClientWithRetries(clock, options).ListModelsAsync(Cancel));
        Assert.Equal(3, stub.Requests.Count);
        Assert.Equal(2, clock.Waits.Count);
    }

    [Fact]
    public async Task ConnectionFailures_AreRetriedWithGrowingWaits_UntilTheLast()
    {
        var clock = new ManualClock();
        var stub = new StubHandler(StubHandler.Refuse);
        var options = new FpnClientOptions { MaxRetries = 5, MaxRetryDelay = TimeSpan.FromSeconds(2) };
        var failure = await Assert.ThrowsAsync<HttpRequestException>(
            () => stub.ClientWithRetries(clock, options).ListModelsAsync(Cancel));
        Assert.Equal(HttpRequestError.ConnectionError, failure.HttpRequestError);
        Assert.Equal(6, stub.Requests.Count);
        Assert.Equal(5, clock.Waits.Count);
        Assert.All(clock.Waits, wait => Assert.InRange(wait, TimeSpan.Zero, TimeSpan.FromSeconds(2)));
        Assert.True(clock.Waits.Distinct().Count() > 1);
    }

    [Theory]
    [InlineData(HttpRequestError.ConnectionError, true)]
    [InlineData(HttpRequestError.NameResolutionError, true)]
    [InlineData(HttpRequestError.ResponseEnded, true)]
    [InlineData(HttpRequestError.SecureConnectionError, false)]
    [InlineData(HttpRequestError.InvalidResponse, false)]
    public async Task Failures_OfTheConnection_AreRetriedWhereThatMayHelp(HttpRequestError error, bool retried)
    {
        var stub = new StubHandler(
            _ => Task.FromException<HttpResponseMessage>(new HttpRequestException(error)), Success);
        var call = stub.ClientWithRetries(new ManualClock()).ListModelsAsync(Cancel);
        if (retried)
        {
            await call;
        }
        else
        {
            await Assert.ThrowsAsync<HttpRequestException>(() => call);
        }

        Assert.Equal(retried ? 2 : 1, stub.Requests.Count);
    }

    /// <summary>A connection that breaks while the body is sent has no error of its own, but an inner
    /// exception.</summary>
    [Fact]
    public async Task Failures_WhileTheBodyIsSent_AreRetried()
    {
        var broken = new HttpRequestException(HttpRequestError.Unknown, "Broken.", new IOException("Broken pipe."));
        var stub = new StubHandler(_ => Task.FromException<HttpResponseMessage>(broken), Success);
        await stub.ClientWithRetries(new ManualClock()).ListModelsAsync(Cancel);
        Assert.Equal(2, stub.Requests.Count);

        var other = new StubHandler(_ => Task.FromException<HttpResponseMessage>(new HttpRequestException()), Success);
        await Assert.ThrowsAsync<HttpRequestException>(
            () => other.ClientWithRetries(new ManualClock()).ListModelsAsync(Cancel));
        Assert.Single(other.Requests);
    }

    [Theory]
    [InlineData(HttpStatusCode.BadRequest)]
    [InlineData(HttpStatusCode.Unauthorized)]
    [InlineData(HttpStatusCode.RequestTimeout)]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.GatewayTimeout)]
    public async Task OtherStatuses_AreNotRetried(HttpStatusCode status)
    {
        var stub = new StubHandler(StubHandler.Answer(status, retryAfter: "1"), Success);
        var problem = await Assert.ThrowsAsync<FpnProblemException>(
            () => stub.ClientWithRetries(new ManualClock()).ListModelsAsync(Cancel));
        Assert.Equal(status, problem.Status);
        Assert.Single(stub.Requests);
    }

    [Fact]
    public async Task MaxRetries_Zero_SendsOnce()
    {
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "1"), Success);
        var client = stub.ClientWithRetries(new ManualClock(), new FpnClientOptions { MaxRetries = 0 });
        await Assert.ThrowsAsync<FpnProblemException>(() => client.ListModelsAsync(Cancel));
        Assert.Single(stub.Requests);
    }

    /// <summary>A probe asks how it is now.</summary>
    [Fact]
    public async Task Health_NotReady_IsNotRetried()
    {
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "1"), Success);
        Assert.False(await stub.ClientWithRetries(new ManualClock()).IsReadyAsync(Cancel));
        Assert.Single(stub.Requests);
    }

    [Fact]
    public async Task Canceled_WhileItWaits_EndsWithoutAnotherAttempt()
    {
        var clock = new ManualClock(held: true);
        var stub = new StubHandler(StubHandler.Answer(HttpStatusCode.ServiceUnavailable, retryAfter: "7"), Success);
        using var source = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var call = stub.ClientWithRetries(clock).ListModelsAsync(source.Token);
        await clock.WaitUntilWaitingAsync(call);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        Assert.Single(stub.Requests);
    }

    [Fact]
    public async Task Timeout_OfTheWholeCall_SaysSo()
    {
        var stub = new StubHandler(_ => new TaskCompletionSource<HttpResponseMessage>().Task);
        var http = new HttpClient(stub) { BaseAddress = StubHandler.Address, Timeout = TimeSpan.FromMilliseconds(20) };
        var canceled =
            await Assert.ThrowsAsync<TaskCanceledException>(() => new FpnClient(http).ListModelsAsync(Cancel));
        Assert.IsType<TimeoutException>(canceled.InnerException);
    }

    [Fact]
    public void Handler_WrongOptions_AreNamed()
    {
        var wrong = Assert.Throws<ArgumentException>(
            () => new FpnRetryHandler(new FpnClientOptions { MaxRetries = -1 }));
        Assert.Contains("MaxRetries -1", wrong.Message, StringComparison.Ordinal);
    }
}
