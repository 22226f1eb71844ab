using Fpn.Service.Engine;
using Fpn.Service.Fetching;
using Microsoft.AspNetCore.Http;

namespace Fpn.Service.Tests.Fetching;

/// <summary>Size, time, redirects and number of fetches end where the settings say.</summary>
public sealed class FetchLimitTests
{
    private const int Limit = 100_000;

    private static readonly FetchOptions Defaults = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Limit, true)]
    [InlineData(Limit, false)]
    public async Task Fetch_LargestImage_Arrives(int size, bool announced)
    {
        await using var server = await ImageServer.StartAsync(context => SendAsync(context, size, announced));
        using var setup = SetUp(server);
        Assert.Equal(size, (await setup.FetchAsync(Url(server))).Length);
    }

    [Theory]
    [InlineData(Limit + 1, true)]
    [InlineData(Limit + 1, false)]
    [InlineData(1L << 40, true)]
    [InlineData(long.MaxValue, false)]
    public async Task Fetch_LargerImage_Is413AndTheRestIsNotRead(long size, bool announced)
    {
        var left = NewSignal();
        await using var server = await ImageServer.StartAsync(async context =>
        {
            using var gone = context.RequestAborted.Register(left.SetResult);

            // A client that leaves after the last byte is not reported; one that leaves before it always is.
            await SendAsync(context, size, announced, withheld: announced ? 1 : 0);
            await left.Task;
        });
        using var setup = SetUp(server);
        await setup.AssertRefusedAsync(Url(server), 413, "image-too-large", $"{Limit} bytes");
        await left.Task.WaitAsync(Cancel);
    }

    [Fact]
    public async Task Fetch_NoMemoryIsLeft_Is503()
    {
        await using var server = await ImageServer.StartAsync(context => SendAsync(context, Limit, true));
        using var setup = SetUp(server);
        var all = new LimitsOptions().MaxBodyBytes;
        Assert.True(setup.Memory.TryTake(all));
        var outcome = await setup.Fetcher.FetchAsync(Url(server), "image", Cancel);
        Assert.False(outcome.Succeeded(out _, out var problem));
        Assert.Equal((503, "queue-full"), (problem.Status, problem.Type));
        Assert.Equal(all, setup.Memory.Taken);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fetch_SlowAnswer_Is504AndTheHostIsLeft(bool inTheBody)
    {
        var (asked, left) = (NewSignal(), NewSignal());
        await using var server = await ImageServer.StartAsync(async context =>
        {
            using var gone = context.RequestAborted.Register(left.SetResult);
            if (inTheBody)
            {
                await context.Response.Body.WriteAsync(new byte[10], Cancel);
                await context.Response.Body.FlushAsync(Cancel);
            }

            asked.SetResult();
            await left.Task;
        });
        using var setup = SetUp(server);
        var fetch = setup.RefuseAsync(Url(server));
        await asked.Task.WaitAsync(Cancel);
        setup.Clock.Advance(Defaults.Timeout - TimeSpan.FromTicks(1));
        Assert.False(left.Task.IsCompleted);
        Assert.False(fetch.IsCompleted);
        setup.Clock.Advance(TimeSpan.FromTicks(1));
        var problem = await fetch;
        Assert.Equal((504, "fetch-too-slow", "image"), (problem.Status, problem.Type, problem.Parameter));
        Assert.Contains("within 10 s (Fpn:Fetch:Timeout)", problem.Detail, StringComparison.Ordinal);
        await left.Task.WaitAsync(Cancel);
        Assert.Equal(0, setup.Clock.Timers);
    }

    [Fact]
    public async Task Fetch_Redirects_DoNotExtendTheTime()
    {
        var asked = NewSignal();
        FetcherSetup? setup = null;
        await using var server = await ImageServer.StartAsync(context =>
        {
            if (context.Request.Path == "/second")
            {
                asked.SetResult();
                return Task.Delay(Timeout.Infinite, context.RequestAborted)
                    .ContinueWith(_ => { }, TaskScheduler.Default);
            }

            setup!.Clock.Advance(Defaults.Timeout / 2);
            (context.Response.StatusCode, context.Response.Headers.Location) = (302, "/second");
            return Task.CompletedTask;
        });
        using (setup = SetUp(server))
        {
            var fetch = setup.RefuseAsync(Url(server));
            await asked.Task.WaitAsync(Cancel);
            setup.Clock.Advance(Defaults.Timeout / 2);
            Assert.Equal("fetch-too-slow", (await fetch).Type);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task Fetch_EndlessRedirects_AreFollowedAsOftenAsAllowed(int limit)
    {
        await using var server = await ImageServer.StartAsync(context =>
        {
            (context.Response.StatusCode, context.Response.Headers.Location) = (302, "/");
            return Task.CompletedTask;
        });
        using var setup = SetUp(server, maxRedirects: limit);
        await setup.AssertRefusedAsync(Url(server), 502, "fetch-failed", $"more than {limit} times");
        Assert.Equal(limit + 1, server.Targets.Count());
    }

    [Fact]
    public async Task Fetch_EndlessHeaders_Are502()
    {
        await using var server = await ImageServer.StartAsync(context =>
        {
            for (var i = 0; i < 40; i++)
            {
                context.Response.Headers[$"X-{i}"] = new string('a', 1000);
            }

            return SendAsync(context, 1, true);
        });
        using var setup = SetUp(server);
        await setup.AssertRefusedAsync(Url(server), 502, "fetch-failed", "breaks off");
    }

    [Fact]
    public async Task Fetch_Cancelled_LeavesTheHost()
    {
        var (asked, left) = (NewSignal(), NewSignal());
        await using var server = await ImageServer.StartAsync(async context =>
        {
            using var gone = context.RequestAborted.Register(left.SetResult);
            asked.SetResult();
            await left.Task;
        });
        using var setup = SetUp(server);
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var fetch = setup.Fetcher.FetchAsync(Url(server), "image", cancellation.Token);
        await asked.Task.WaitAsync(Cancel);
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fetch);
        await left.Task.WaitAsync(Cancel);
        Assert.Equal(0, setup.Memory.Taken);
        Assert.Empty(setup.Log.All);
    }

    [Fact]
    public async Task Fetch_MoreThanAllowedAtOneTime_WaitTheirTurn()
    {
        var (gate, release) = (new Lock(), NewSignal());
        var (running, most) = (0, 0);
        await using var server = await ImageServer.StartAsync(async context =>
        {
            Count(1);
            await release.Task.WaitAsync(Cancel);
            Count(-1);
            await SendAsync(context, 1, true);
        });
        using var setup = SetUp(server, maxConcurrent: 2);
        var fetched = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => setup.FetchAsync(Url(server))));
        Assert.All(fetched, image => Assert.Single(image));
        Assert.Equal(2, most);

        void Count(int more)
        {
            lock (gate)
            {
                running += more;
                most = Math.Max(most, running);
            }

            // The first waits for the second, so that two do run side by side.
            if (most == 2)
            {
                release.TrySetResult();
            }
        }
    }

    [Fact]
    public async Task Fetch_NoTurnInTime_Is503()
    {
        // A host that is not even left when it should be: the slot stays taken.
        var stuck = new StuckHandler();
        var options = new FetchOptions { Hosts = "images.test", MaxConcurrent = 1 };
        using var setup = new FetcherSetup(options, handler: usual =>
        {
            usual.Dispose();
            return stuck;
        });
        var first = setup.RefuseAsync("http://images.test/");
        await stuck.Entered.Task.WaitAsync(Cancel);
        var second = setup.RefuseAsync("http://images.test/");
        setup.Clock.Advance(Defaults.Timeout);
        var problem = await second;
        Assert.Equal((503, "queue-full"), (problem.Status, problem.Type));
        Assert.Contains("Fpn:Fetch:MaxConcurrent", problem.Detail, StringComparison.Ordinal);
        Assert.NotNull(problem.RetryAfter);
        stuck.Released.SetException(new HttpRequestException("broken"));
        Assert.Equal("fetch-too-slow", (await first).Type);
    }

    private static FetcherSetup SetUp(ImageServer server, int maxRedirects = 3, int maxConcurrent = 16) =>
        new(
            new FetchOptions
            {
                Hosts = $"images.test:{server.Port}",
                Networks = "127.0.0.1",
                MaxRedirects = maxRedirects,
                MaxConcurrent = maxConcurrent,
            },
            maxImageBytes: Limit);

    /// <summary>The test must not go on on a server's thread: it would wait for that thread when it ends.</summary>
    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static string Url(ImageServer server) => $"http://images.test:{server.Port}/";

    /// <summary>Sends zeros until all but those withheld are sent, or the client is gone.</summary>
    private static async Task SendAsync(HttpContext context, long size, bool announced, int withheld = 0)
    {
        context.Response.ContentLength = announced ? size : null;
        var part = new byte[16 << 10];
        try
        {
            for (var sent = 0L; sent < size - withheld && !context.RequestAborted.IsCancellationRequested;)
            {
                var count = (int)Math.Min(part.Length, size - withheld - sent);
                await context.Response.Body.WriteAsync(part.AsMemory(0, count), context.RequestAborted);
                sent += count;
            }
        }
        catch (OperationCanceledException)
        {
            // The client is gone.
        }
    }

    private sealed class StuckHandler : HttpMessageHandler
    {
        public TaskCompletionSource Entered { get; } = NewSignal();

        public TaskCompletionSource<HttpResponseMessage> Released { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Entered.SetResult();
            return Released.Task;
        }
    }
}
