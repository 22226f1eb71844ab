using System.Net;
using Fpn.Testing.Running;

namespace Fpn.Service.Tests.Detect;

/// <summary>HEAD, which probes and link checkers send: as GET, without the body.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class HeadTests(ServiceFixture fixture)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("health/live")]
    [InlineData("health/ready")]
    [InlineData("metrics")]
    [InlineData("models")]
    [InlineData("models/blood-cells")]
    [InlineData("swagger/index.html")]
    [InlineData("swagger/v1/swagger.json")]
    [InlineData("explorer/settings.json")]
    [InlineData("v2")]
    [InlineData("v2/health/live")]
    [InlineData("v2/health/ready")]
    [InlineData("v2/models/blood-cells")]
    [InlineData("v2/models/blood-cells/ready")]
    [InlineData("models/none")]
    [InlineData("nothing")]
    public async Task Head_WhateverGetServes_HasItsHeadersAndNoBody(string path)
    {
        using var get = await fixture.Service.Client.GetAsync(path, Cancel);
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        await connection.SendAsync($"HEAD /{path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith($"HTTP/1.1 {(int)get.StatusCode} ", answer, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\n", answer, StringComparison.Ordinal);
        Assert.Equal(1, answer.Split("\r\n\r\n").Length - 1);
        if (get.Content.Headers.ContentType is { } type)
        {
            Assert.Contains($"Content-Type: {type.MediaType}", answer, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Fact]
    public async Task Head_WhatOnlyPostServes_Is405AndLoggedAsHead()
    {
        var start = fixture.Service.Log.All.Count;
        using var request = new HttpRequestMessage(HttpMethod.Head, "detect");
        using var response = await fixture.Service.Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        await fixture.Service.Log.WaitForAsync(
            start, line => line.Contains("HEAD /detect 405", StringComparison.Ordinal), Cancel);
    }
}
