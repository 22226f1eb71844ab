using System.Net;
using Fpn.Testing.Images;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Security;

/// <summary>What browsers are told: how little may be done with an answer, and which pages may ask.</summary>
[Collection(ServiceFixture.Collection)]
[Trait("Speed", "slow")]
public sealed class BrowserTests(ServiceFixture fixture)
{
    private const string Page = "https://app.example.com";

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET", "models", 200)]
    [InlineData("POST", "detect", 200)]
    [InlineData("POST", "detect?scoreThreshold=x", 400)]
    [InlineData("GET", "nothing/here", 404)]
    [InlineData("GET", "detect", 405)]
    [InlineData("GET", "health/live", 200)]
    public async Task Answers_OfTheApi_AreDataAndNotKept(string method, string path, int status)
    {
        using var response = await SendAsync(Client, method, path);
        Assert.Equal(status, (int)response.StatusCode);
        AssertHeader(response, "X-Content-Type-Options", "nosniff");
        AssertHeader(response, "Referrer-Policy", "no-referrer");
        AssertHeader(response, "X-Frame-Options", "DENY");
        AssertHeader(response, "Cross-Origin-Resource-Policy", "same-origin");
        AssertHeader(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.False(response.Headers.Contains("Server"));
        Assert.False(response.Headers.Contains("X-Powered-By"));
    }

    /// <summary>
    /// The policy that the UI was seen to work under in Chromium, without a complaint on its console.
    /// </summary>
    [Theory]
    [InlineData("swagger/index.html")]
    [InlineData("swagger/swagger-ui-bundle.js")]
    public async Task Answers_OfTheExplorer_LoadTheirOwnFilesOnly(string path)
    {
        using var response = await SendAsync(Client, "GET", path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        AssertHeader(
            response,
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
                + "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
        AssertHeader(response, "X-Content-Type-Options", "nosniff");
    }

    [Fact]
    public async Task Answers_ToAFailure_KeepTheHeaders()
    {
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: test\r\nConnection: close\r\nX-Request-Id: failing\r\n"
            + "Transfer-Encoding: chunked\r\n\r\nnonsense\r\n");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("X-Content-Type-Options: nosniff\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("X-Request-Id: failing\r\n", answer, StringComparison.Ordinal);
        Assert.Contains("no-store", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CrossOrigin_NotConfigured_AllowsNoPage()
    {
        using var asked = await SendAsync(Client, "GET", "models", ("Origin", Page));
        Assert.Equal(HttpStatusCode.OK, asked.StatusCode);
        Assert.DoesNotContain(asked.Headers, IsCrossOrigin);
        using var preflight = await PreflightAsync(Client);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, preflight.StatusCode);
        Assert.DoesNotContain(preflight.Headers, IsCrossOrigin);
    }

    [Fact]
    public async Task CrossOrigin_AllowedPage_MayAskAndReadWithAKey()
    {
        using var service = new RunningService(
            ("Fpn:Cors:AllowedOrigins", $"https://other.example.com, {Page}"),
            ("Fpn:Keys:Json", $"[{KeyFile.Entry("alice", KeyFile.Alice)}]"),
            ("Fpn:Batching:MaxBatchSize", "1"));
        using var preflight = await PreflightAsync(service.Client);
        Assert.Equal(HttpStatusCode.NoContent, preflight.StatusCode);
        AssertHeader(preflight, "Access-Control-Allow-Origin", Page);
        var allowed = Assert.Single(preflight.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Contains("X-Api-Key", allowed, StringComparison.OrdinalIgnoreCase);
        Assert.False(preflight.Headers.Contains("Access-Control-Allow-Credentials"));

        // Refusals, too, are for the page to read.
        (string Key, HttpStatusCode Status)[] callers =
            [(KeyFile.Alice, HttpStatusCode.OK), (KeyFile.Bob, HttpStatusCode.Unauthorized)];
        foreach (var (key, status) in callers)
        {
            using var asked = await SendAsync(service.Client, "GET", "models", ("Origin", Page), ("X-Api-Key", key));
            Assert.Equal(status, asked.StatusCode);
            AssertHeader(asked, "Access-Control-Allow-Origin", Page);
            AssertHeader(
                asked,
                "Access-Control-Expose-Headers",
                "Server-Timing,Retry-After,X-Request-Id,Inference-Header-Content-Length");
        }

        using var stranger = await SendAsync(
            service.Client, "GET", "models", ("Origin", "https://evil.example.com"), ("X-Api-Key", KeyFile.Alice));
        Assert.False(stranger.Headers.Contains("Access-Control-Allow-Origin"));
    }

    private static bool IsCrossOrigin(KeyValuePair<string, IEnumerable<string>> header) =>
        header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase);

    private static void AssertHeader(HttpResponseMessage response, string name, string value) =>
        Assert.Equal(value, Assert.Single(response.Headers.GetValues(name)));

    private static Task<HttpResponseMessage> PreflightAsync(HttpClient client) => SendAsync(
        client,
        "OPTIONS",
        "detect",
        ("Origin", Page),
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "x-api-key,content-type"));

    private static async Task<HttpResponseMessage> SendAsync(
        HttpClient client, string method, string path, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST")
        {
            request.Content = new ByteArrayContent(MadePng.OnePixel());
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await client.SendAsync(request, Cancel);
    }
}
