using System.Diagnostics;
using Fpn.Service.Fetching;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Fetching;

/// <summary>What is fetched, what is sent for it, and what hosts may do instead of giving an image.</summary>
public sealed class FetchTests
{
    private static readonly byte[] Image = MadePng.OnePixel();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Fetch_ListedHost_IsTheImage()
    {
        await using var server = await ImageServer.StartAsync(SendImageAsync);
        using var setup = SetUp(server);
        using var activity = new Activity("request").Start();
        Assert.Equal(Image, await setup.FetchAsync($"http://images.test:{server.Port}/a%20b.png?c=d#e"));
        Assert.Equal(0, setup.Memory.Taken);
        Assert.Equal("/a%20b.png?c=d", Assert.Single(server.Targets));
        Assert.Equal(
            [
                "Accept-Encoding: identity", "Accept: image/*", "Connection: close",
                $"Host: images.test:{server.Port}", "User-Agent: Fpn.Service",
            ],
            Assert.Single(server.Headers)
                .Select(header => $"{header.Key}: {header.Value}").Order(StringComparer.Ordinal));
        Assert.Empty(setup.Log.All);
    }

    [Fact]
    public async Task Fetch_LengthIsNotAnnounced_IsTheImage()
    {
        await using var server = await ImageServer.StartAsync(async context =>
        {
            foreach (var part in Image.Chunk(7))
            {
                await context.Response.Body.WriteAsync(part, context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        });
        using var setup = SetUp(server);
        Assert.Equal(Image, await setup.FetchAsync($"http://images.test:{server.Port}/"));
    }

    [Theory]
    [InlineData(301, "/there")]
    [InlineData(302, "there")]
    [InlineData(303, "//images.test:{0}/there")]
    [InlineData(307, "http://images.test:{0}/there")]
    [InlineData(308, "http://IMAGES.test.:{0}/there")]
    public async Task Fetch_RedirectToAnAllowedHost_IsFollowed(int status, string location)
    {
        var port = 0;
        await using var server = await ImageServer.StartAsync(context => context.Request.Path == "/there"
            ? SendImageAsync(context)
            : RedirectAsync(context, string.Format(null, location, port), status));
        port = server.Port;
        using var setup = SetUp(server);
        Assert.Equal(Image, await setup.FetchAsync($"http://images.test:{port}/here"));
        Assert.Equal(["/here", "/there"], server.Targets);
        Assert.Equal(2, setup.Names.Asked);
    }

    [Fact]
    public async Task Fetch_CookieOfARedirect_IsNotSentBack()
    {
        await using var server = await ImageServer.StartAsync(context =>
        {
            context.Response.Headers.SetCookie = "a=b";
            return context.Request.Path == "/there" ? SendImageAsync(context) : RedirectAsync(context, "/there");
        });
        using var setup = SetUp(server);
        await setup.FetchAsync($"http://images.test:{server.Port}/");
        Assert.All(server.Headers, headers => Assert.False(headers.ContainsKey("Cookie")));
        Assert.Equal(2, server.Headers.Count());
    }

    [Theory]
    [InlineData(204)]
    [InlineData(300)]
    [InlineData(302)]
    [InlineData(304)]
    [InlineData(401)]
    [InlineData(404)]
    [InlineData(500)]
    public async Task Fetch_NoImage_Is502WithTheStatusAlone(int status)
    {
        await using var server = await ImageServer.StartAsync(async context =>
        {
            context.Response.StatusCode = status;
            if (status is not 204 and not 304)
            {
                await context.Response.WriteAsync("an inner secret", context.RequestAborted);
            }
        });
        using var setup = SetUp(server);
        var problem = await setup.RefuseAsync($"http://images.test:{server.Port}/");
        Assert.Equal((502, "fetch-failed", "image"), (problem.Status, problem.Type, problem.Parameter));
        Assert.Equal($"The URL was answered with status {status}, and not with an image.", problem.Detail);
    }

    [Fact]
    public async Task Fetch_EmptyAnswer_Is400()
    {
        await using var server = await ImageServer.StartAsync(_ => Task.CompletedTask);
        using var setup = SetUp(server);
        await setup.AssertRefusedAsync($"http://images.test:{server.Port}/", 400, "no-image", "without a byte");
    }

    [Fact]
    public async Task Fetch_ClosedPort_Is502WithoutTheAddress()
    {
        var port = FreePort.Find();
        using var setup = new FetcherSetup(new FetchOptions { Hosts = $"images.test:{port}", Networks = "127.0.0.1" });
        await setup.AssertRefusedAsync($"http://images.test:{port}/a", 502, "fetch-failed", "cannot be reached");
        Assert.Contains("images.test", Assert.Single(setup.Log.All), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fetch_UnknownName_Is502()
    {
        using var setup = new FetcherSetup(
            new FetchOptions { Hosts = "images.test" }, new FakeResolver((_, _) => []));
        await setup.AssertRefusedAsync("http://images.test/a", 502, "fetch-failed", "cannot be reached");
    }

    [Fact]
    public async Task Fetch_AnswerThatBreaksOff_Is502()
    {
        await using var server = await ImageServer.StartAsync(async context =>
        {
            context.Response.ContentLength = 1000;
            await context.Response.Body.WriteAsync(Image.AsMemory(0, 10), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
        });
        using var setup = SetUp(server);
        await setup.AssertRefusedAsync($"http://images.test:{server.Port}/", 502, "fetch-failed", "breaks off");
    }

    [Fact]
    public async Task Fetch_NoHostIsListed_Is400ThatNamesTheSetting()
    {
        using var setup = new FetcherSetup(new FetchOptions());
        await setup.AssertRefusedAsync("http://images.test/a", 400, "bad-parameter", "Fpn:Fetch:Hosts lists no host");
        Assert.Equal(0, setup.Names.Asked);
    }

    [Theory]
    [InlineData("http://other.test/a", "'other.test', port 80, here: the setting Fpn:Fetch:Hosts does not list it")]
    [InlineData("http://images.test:81/a", "'images.test', port 81, here")]
    [InlineData("http://127.0.0.1/a", "'127.0.0.1', port 80, here")]
    [InlineData("file:///etc/passwd", "begin with http:// or https://")]
    [InlineData("http://user@images.test/a", "name no user")]
    public async Task Fetch_UrlThatIsNotAllowed_Is400AndNoNameIsLookedUp(string url, string words)
    {
        using var setup = new FetcherSetup(new FetchOptions { Hosts = "images.test", Networks = "127.0.0.1" });
        await setup.AssertRefusedAsync(url, 400, "bad-parameter", words);
        Assert.Equal(0, setup.Names.Asked);
    }

    /// <summary>The service's own fetcher, with the machine's names.</summary>
    [Fact]
    [Trait("Speed", "slow")]
    public async Task Fetch_RunningService_FollowsItsSettings()
    {
        await using var server = await ImageServer.StartAsync(SendImageAsync);
        using var service = new RunningService(
            ("Fpn:Fetch:Hosts", $"localhost:{server.Port}"), ("Fpn:Fetch:Networks", "127.0.0.0/8, ::1"));
        var fetcher = service.Services.GetRequiredService<GuardedFetcher>();
        var fetched = await fetcher.FetchAsync($"http://localhost:{server.Port}/", "image", Cancel);
        Assert.True(fetched.Succeeded(out var body, out _));
        using (body)
        {
            Assert.Equal(Image, body.Bytes.ToArray());
        }

        fetched = await fetcher.FetchAsync($"http://127.0.0.1:{server.Port}/", "image", Cancel);
        Assert.False(fetched.Succeeded(out _, out var problem));
        Assert.Equal("bad-parameter", problem.Type);
    }

    private static FetcherSetup SetUp(ImageServer server) =>
        new(new FetchOptions { Hosts = $"images.test:{server.Port}", Networks = "127.0.0.1" });

    private static async Task SendImageAsync(HttpContext context)
    {
        context.Response.ContentLength = Image.Length;
        await context.Response.Body.WriteAsync(Image, context.RequestAborted);
    }

    private static Task RedirectAsync(HttpContext context, string location, int status = 302)
    {
        (context.Response.StatusCode, context.Response.Headers.Location) = (status, location);
        return Task.CompletedTask;
    }
}
