using System.Net;
using Fpn.Service.Fetching;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.Http;

namespace Fpn.Service.Tests.Fetching;

/// <summary>
/// Nothing inside the network is reached: by its address, its name, a name that changes, or a redirect.
/// </summary>
/// <remarks>
/// The one address that is listed is 127.0.0.1; a server that must not be asked listens on 127.0.0.2.
/// </remarks>
public sealed class FetchAddressTests
{
    private const string Inside = "127.0.0.2";

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("::")]
    [InlineData("10.0.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("1.1.1.1", "127.0.0.1")]
    [InlineData("2606:4700:4700::1111", "1.1.1.1", "169.254.169.254")]
    public async Task Fetch_NameOfAnAddressInside_IsRefusedUnseen(params string[] addresses)
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        using var setup = new FetcherSetup(
            new FetchOptions { Hosts = $"images.test:{server.Port}" }, new FakeResolver((_, _) => addresses));
        var problem = await setup.RefuseAsync($"http://images.test:{server.Port}/");
        Assert.Equal((400, "bad-parameter", "image"), (problem.Status, problem.Type, problem.Parameter));
        Assert.Contains("Fpn:Fetch:Networks", problem.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(addresses[^1], problem.Detail, StringComparison.Ordinal);
        Assert.Contains(addresses[^1], Assert.Single(setup.Log.All), StringComparison.Ordinal);
        Assert.Empty(server.Targets);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("127.0.0.1", "2130706433")]
    [InlineData("127.0.0.1", "0x7f.1")]
    [InlineData("127.0.0.1", "0177.0.0.1")]
    [InlineData("127.0.0.1", "127.1")]
    [InlineData("0.0.0.0", "0")]
    [InlineData("[::1]", "[::1]")]
    [InlineData("[::ffff:127.0.0.1]", "[::ffff:7f00:1]")]
    [InlineData("[::ffff:127.0.0.1]", "[0:0:0:0:0:ffff:127.0.0.1]")]
    public async Task Fetch_AddressInsideAsHost_IsRefusedEvenIfItsNameIsListed(string listed, string written)
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        using var setup = new FetcherSetup(new FetchOptions { Hosts = $"{listed}:{server.Port}" });
        await setup.AssertRefusedAsync(
            $"http://{written}:{server.Port}/", 400, "bad-parameter", "Fpn:Fetch:Networks");
        Assert.Equal(0, setup.Names.Asked);
        Assert.Empty(server.Targets);
    }

    [Theory]
    [InlineData("2130706433")]
    [InlineData("[::ffff:7f00:1]")]
    public async Task Fetch_AddressThatIsListed_IsFetchedInAnyForm(string written)
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        using var setup = new FetcherSetup(new FetchOptions
        {
            Hosts = $"127.0.0.1:{server.Port}, [::ffff:127.0.0.1]:{server.Port}",
            Networks = "127.0.0.1",
        });
        Assert.Equal([1], await setup.FetchAsync($"http://{written}:{server.Port}/"));
    }

    [Fact]
    public async Task Fetch_NameChangesAfterTheCheck_TheCheckedAddressIsAsked()
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        await using var inside = await ImageServer.StartAsync(AnswerAsync, Inside, server.Port);
        using var setup = SetUp(server, (_, asked) => [asked == 0 ? "127.0.0.1" : Inside]);
        Assert.Equal([1], await setup.FetchAsync($"http://images.test:{server.Port}/"));
        Assert.Equal(1, setup.Names.Asked);
        Assert.Single(server.Targets);

        // And by the next fetch the change is seen, since no connection is kept.
        await setup.AssertRefusedAsync(
            $"http://images.test:{server.Port}/", 400, "bad-parameter", "Fpn:Fetch:Networks");
        Assert.Equal(2, setup.Names.Asked);
        Assert.Single(server.Targets);
        Assert.Empty(inside.Targets);
    }

    [Fact]
    public async Task Fetch_NameChangesBeforeARedirectToItself_IsRefused()
    {
        await using var server = await ImageServer.StartAsync(context => RedirectAsync(context, "/again"));
        await using var inside = await ImageServer.StartAsync(AnswerAsync, Inside, server.Port);
        using var setup = SetUp(server, (_, asked) => [asked == 0 ? "127.0.0.1" : Inside]);
        await setup.AssertRefusedAsync(
            $"http://images.test:{server.Port}/", 400, "bad-parameter", "Fpn:Fetch:Networks");
        Assert.Equal(["/"], server.Targets);
        Assert.Empty(inside.Targets);
    }

    [Theory]
    [InlineData("http://127.0.0.2:{0}/")]
    [InlineData("//127.0.0.2:{0}/")]
    [InlineData("http://2130706434:{0}/")]
    [InlineData("http://other.test:{0}/")]
    [InlineData("http://images.test:1/")]
    [InlineData("http://user@images.test:{0}/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("ftp://images.test:{0}/")]
    [InlineData("data:image/png;base64,AAAA")]
    [InlineData("")]
    public async Task Fetch_RedirectThatIsNotAllowed_IsNotFollowed(string location)
    {
        var port = 0;
        await using var server = await ImageServer.StartAsync(
            context => RedirectAsync(context, string.Format(null, location, port)));
        port = server.Port;
        await using var inside = await ImageServer.StartAsync(AnswerAsync, Inside, port);
        using var setup = SetUp(server, (name, _) => [name == "images.test" ? "127.0.0.1" : Inside]);
        var problem = await setup.RefuseAsync($"http://images.test:{port}/start");
        if (location.Length == 0)
        {
            // An empty location is the same URL again.
            Assert.Equal("fetch-failed", problem.Type);
        }
        else
        {
            Assert.Equal((400, "bad-parameter"), (problem.Status, problem.Type));
            Assert.Contains("redirects", problem.Detail, StringComparison.Ordinal);
            Assert.DoesNotContain("test", problem.Detail, StringComparison.Ordinal);
            Assert.Equal(["/start"], server.Targets);
        }

        Assert.Empty(inside.Targets);
    }

    [Fact]
    public async Task Fetch_RedirectToAListedNameOfAnAddressInside_IsRefused()
    {
        var port = 0;
        await using var server = await ImageServer.StartAsync(
            context => RedirectAsync(context, $"http://inside.test:{port}/"));
        port = server.Port;
        await using var inside = await ImageServer.StartAsync(AnswerAsync, Inside, port);
        using var setup = new FetcherSetup(
            new FetchOptions { Hosts = $"images.test:{port}, inside.test:{port}", Networks = "127.0.0.1" },
            new FakeResolver((name, _) => [name == "images.test" ? "127.0.0.1" : Inside]));
        await setup.AssertRefusedAsync($"http://images.test:{port}/", 400, "bad-parameter", "Fpn:Fetch:Networks");
        Assert.Empty(inside.Targets);
    }

    [Fact]
    public async Task Fetch_FirstAddressDoesNotAnswer_TheNextIsTried()
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        using var setup = new FetcherSetup(
            new FetchOptions { Hosts = $"images.test:{server.Port}", Networks = "127.0.0.0/8" },
            new FakeResolver((_, _) => [Inside, "127.0.0.1"]));
        Assert.Equal([1], await setup.FetchAsync($"http://images.test:{server.Port}/"));
    }

    /// <summary>A proxy would look names up by itself, and connect past all checks.</summary>
    [Fact]
    public async Task Fetch_ProxyOfTheHandler_IsNotUsed()
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        using var setup = new FetcherSetup(
            new FetchOptions { Hosts = $"images.test:{server.Port}", Networks = "127.0.0.1" },
            handler: usual =>
            {
                usual.Proxy = new WebProxy($"http://127.0.0.1:{FreePort.Find()}");
                return usual;
            });
        Assert.Equal([1], await setup.FetchAsync($"http://images.test:{server.Port}/"));
    }

    private static FetcherSetup SetUp(ImageServer server, Func<string, int, string[]> names) =>
        new(
            new FetchOptions { Hosts = $"images.test:{server.Port}", Networks = "127.0.0.1" },
            new FakeResolver(names));

    private static async Task AnswerAsync(HttpContext context) =>
        await context.Response.Body.WriteAsync(new byte[] { 1 }, context.RequestAborted);

    private static Task RedirectAsync(HttpContext context, string location)
    {
        (context.Response.StatusCode, context.Response.Headers.Location) = (302, location);
        return Task.CompletedTask;
    }
}
