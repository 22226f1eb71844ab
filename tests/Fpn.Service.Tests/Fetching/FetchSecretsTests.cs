using Fpn.Service.Fetching;
using Microsoft.AspNetCore.Http;

namespace Fpn.Service.Tests.Fetching;

/// <summary>Credentials go to the origin that they are for, as long as the request itself names it.</summary>
public sealed class FetchSecretsTests
{
    private const string Secret = "Token c0ffee8841d7";
    private const string OtherSecret = "Token decaf5f2c9e7";

    [Fact]
    public async Task Fetch_OriginWithCredentials_IsShownThem()
    {
        await using var server = await ImageServer.StartAsync(AnswerAsync);
        using var setup = SetUp(server.Port);
        await setup.FetchAsync($"http://images.test:{server.Port}/");
        await setup.FetchAsync($"http://plain.test:{server.Port}/");
        Assert.Equal([Secret, string.Empty], server.Headers.Select(headers => headers.Authorization.ToString()));
    }

    [Fact]
    public async Task Fetch_RedirectWithinTheOrigin_KeepsThem()
    {
        await using var server = await ImageServer.StartAsync(context =>
            context.Request.Path == "/there" ? AnswerAsync(context) : RedirectAsync(context, "/there"));
        using var setup = SetUp(server.Port);
        await setup.FetchAsync($"http://images.test:{server.Port}/");
        Assert.Equal([Secret, Secret], server.Headers.Select(headers => headers.Authorization.ToString()));
    }

    /// <summary>Not those of the first host, not its own, and none when the way leads back.</summary>
    [Fact]
    public async Task Fetch_RedirectToAnotherHost_DropsThemForGood()
    {
        var port = 0;
        await using var server = await ImageServer.StartAsync(context => context.Request.Path.Value switch
        {
            "/1" => RedirectAsync(context, $"http://other.test:{port}/2"),
            "/2" => RedirectAsync(context, $"http://images.test:{port}/3"),
            _ => AnswerAsync(context),
        });
        port = server.Port;
        using var setup = SetUp(port);
        await setup.FetchAsync($"http://images.test:{port}/1");
        Assert.Equal(["/1", "/2", "/3"], server.Targets);
        Assert.Equal(
            [Secret, string.Empty, string.Empty],
            server.Headers.Select(headers => headers.Authorization.ToString()));
    }

    [Fact]
    public async Task Fetch_AnyFailure_NamesNoCredentialAndNoQuery()
    {
        var port = 0;
        await using var server = await ImageServer.StartAsync(context =>
        {
            switch (context.Request.Path.Value)
            {
                case "/refused":
                    return RedirectAsync(context, $"http://unlisted.test:{port}/?signature=5f2c9e7d");
                case "/broken":
                    context.Abort();
                    return Task.CompletedTask;
                default:
                    context.Response.StatusCode = 403;
                    return context.Response.WriteAsync(context.Request.Headers.Authorization.ToString());
            }
        });
        port = server.Port;
        using var setup = SetUp(port);
        foreach (var path in (string[])["refused", "broken", "forbidden"])
        {
            var problem = await setup.RefuseAsync($"http://images.test:{port}/{path}?signature=5f2c9e7d");
            Assert.DoesNotContain("c0ffee", problem.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("5f2c9e7d", problem.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(2, setup.Log.All.Count);
        Assert.All(setup.Log.All, line =>
        {
            Assert.DoesNotContain("c0ffee", line, StringComparison.Ordinal);
            Assert.DoesNotContain("5f2c9e7d", line, StringComparison.Ordinal);
        });
    }

    private static FetcherSetup SetUp(int port) => new(new FetchOptions
    {
        Hosts = $"images.test:{port}, other.test:{port}, plain.test:{port}",
        Networks = "127.0.0.1",
        CredentialsJson =
            $$"""{ "http://images.test:{{port}}": "{{Secret}}", "http://other.test:{{port}}": "{{OtherSecret}}" }""",
    });

    private static async Task AnswerAsync(HttpContext context) =>
        await context.Response.Body.WriteAsync(new byte[] { 1 }, context.RequestAborted);

    private static Task RedirectAsync(HttpContext context, string location)
    {
        (context.Response.StatusCode, context.Response.Headers.Location) = (302, location);
        return Task.CompletedTask;
    }
}
