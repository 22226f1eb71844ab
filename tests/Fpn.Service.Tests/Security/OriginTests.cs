using System.Net;
using System.Text.Json;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Security;

/// <summary>Request ids and client addresses: what is believed of what a request says about itself.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class OriginTests(ServiceFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("a")]
    [InlineData("7f9c2ba4-e88f-4d5b-b1c3.req_1")]
    public async Task RequestId_Harmless_IsKeptAndLogged(string id)
    {
        var start = fixture.Service.Log.All.Count;
        Assert.Equal(id, await AskAsync(fixture.Service, ("X-Request-Id", id)));
        await fixture.Service.Log.WaitForAsync(
            start, line => line.Contains($", request {id}]", StringComparison.Ordinal), Cancel);
    }

    [Theory]
    [InlineData("two words")]
    [InlineData("a;b")]
    [InlineData("<script>")]
    [InlineData("%0a")]
    [InlineData("")]
    public async Task RequestId_Other_IsReplaced(string id)
    {
        var own = await AskAsync(fixture.Service, ("X-Request-Id", id));
        Assert.Matches("^[0-9a-f]{32}$", own);
    }

    [Fact]
    public async Task RequestId_LongOrTwice_IsReplaced()
    {
        Assert.Equal(128, (await AskAsync(fixture.Service, ("X-Request-Id", new string('r', 128)))).Length);
        Assert.Equal(32, (await AskAsync(fixture.Service, ("X-Request-Id", new string('r', 129)))).Length);
        Assert.Equal(32, (await AskAsync(fixture.Service, ("X-Request-Id", "a"), ("X-Request-Id", "b"))).Length);
        Assert.NotEqual(await AskAsync(fixture.Service), await AskAsync(fixture.Service));
    }

    [Fact]
    public async Task ForwardedFor_NobodyTrusted_IsIgnored() =>
        Assert.Equal("127.0.0.1", await ClientAsync(fixture.Service, ("X-Forwarded-For", "203.0.113.7")));

    [Fact]
    public async Task ForwardedFor_FromAnother_IsIgnored()
    {
        using var service = Start(("Fpn:Proxies:Trusted", "10.0.0.1, 192.168.0.0/16"));
        Assert.Equal("127.0.0.1", await ClientAsync(service, ("X-Forwarded-For", "203.0.113.7")));
    }

    [Theory]
    [InlineData("10.0.0.1,127.0.0.1", "1")]
    [InlineData("127.0.0.0/8", "1")]
    [InlineData("127.0.0.0/8", "5")]
    public async Task ForwardedFor_FromATrustedProxy_IsTheAddressItSaw(string trusted, string limit)
    {
        using var service = Start(("Fpn:Proxies:Trusted", trusted), ("Fpn:Proxies:ForwardLimit", limit));

        // What the client wrote itself stands before what the proxy appended.
        Assert.Equal("203.0.113.7", await ClientAsync(service, ("X-Forwarded-For", "198.51.100.9, 203.0.113.7")));
        Assert.Equal("127.0.0.1", await ClientAsync(service, ("X-Forwarded-For", "no address")));
    }

    /// <summary>
    /// What the service writes of its own addresses: the document's server and the texts of problems.
    /// </summary>
    [Theory]
    [InlineData("127.0.0.1", "/vision/api", "/vision/api")]
    [InlineData("10.0.0.1", "/vision/api", "")]
    [InlineData("", "/vision/api", "")]
    public async Task ForwardedPrefix_FromATrustedProxyOnly_StandsBeforeAddresses(
        string trusted, string prefix, string expected)
    {
        using var service = Start(("Fpn:Proxies:Trusted", trusted));
        using var request = new HttpRequestMessage(HttpMethod.Get, "nothing");
        request.Headers.Add("X-Forwarded-Prefix", prefix);
        using var response = await service.Client.SendAsync(request, Cancel);
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.NotFound, "not-found");
        Assert.Equal(
            $"There is nothing at '{expected}/nothing'. {expected}/swagger lists what there is.",
            problem.GetProperty("detail").GetString());
    }

    /// <summary>Swagger UI resolves the server against the document, wherever a proxy shows that.</summary>
    [Fact]
    public async Task OpenApi_Server_IsRelativeToTheDocument()
    {
        using var document = JsonDocument.Parse(
            await fixture.Service.Client.GetStringAsync("swagger/v1/swagger.json", Cancel));
        var server =
            Assert.Single(document.RootElement.GetProperty("servers").EnumerateArray()).GetProperty("url").GetString();
        var shown = new Uri("https://example.com/vision/api/swagger/v1/swagger.json");
        Assert.Equal("https://example.com/vision/api/", new Uri(shown, server).ToString());
        var page = await fixture.Service.Client.GetStringAsync("swagger/index.html", Cancel);
        Assert.DoesNotContain("=\"/", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Log_TextFromTheRequest_StaysOnOneLine()
    {
        var start = fixture.Service.Log.All.Count;
        using var response = await fixture.Service.Client.GetAsync("models/a%0d%0aInformation%20forged", Cancel);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        var line = await fixture.Service.Log.WaitForAsync(
            start, line => line.Contains("forged", StringComparison.Ordinal), Cancel);
        Assert.DoesNotContain('\n', line);
        Assert.DoesNotContain('\r', line);
        Assert.Contains("'a  Information forged'", line, StringComparison.Ordinal);
    }

    private static RunningService Start(params (string Name, string Value)[] settings) =>
        new([.. settings, ("Fpn:Batching:MaxBatchSize", "1")]);

    /// <summary>Asks and returns the id of the answer.</summary>
    private static async Task<string> AskAsync(RunningService service, params (string Name, string Value)[] headers)
    {
        using var connection = await RawConnection.OpenAsync(service.Address);
        var lines = headers.Select(header => $"{header.Name}: {header.Value}\r\n");
        await connection.SendAsync(
            $"GET /models HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{string.Concat(lines)}\r\n");
        var head = await connection.ReadHeadAsync();
        var line = Assert.Single(
            head.Split("\r\n"), line => line.StartsWith("X-Request-Id: ", StringComparison.Ordinal));
        return line["X-Request-Id: ".Length..];
    }

    /// <summary>Asks and returns the client's address as it was logged.</summary>
    private static async Task<string> ClientAsync(RunningService service, params (string Name, string Value)[] headers)
    {
        var id = await AskAsync(service, headers);
        var line = await service.Log.WaitForAsync(0, line => line.Contains(id, StringComparison.Ordinal), Cancel);
        var start = line.LastIndexOf("[client ", StringComparison.Ordinal) + "[client ".Length;
        return line[start..line.IndexOf(',', start)];
    }
}
