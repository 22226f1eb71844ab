using System.Net;
using System.Text;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Fpn.Service.Tests.Detect;

/// <summary>What well-behaved clients rarely send: methods, half requests, slow bodies, odd paths.</summary>
[Collection(ServiceFixture.Collection)]
public sealed class ProtocolTests(ServiceFixture fixture)
{
    private static readonly byte[] Sample = File.ReadAllBytes(Checkout.SampleImage);

    private HttpClient Client => fixture.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("PATCH")]
    public async Task Detect_OtherMethod_Is405WithAllow(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "detect");
        using var response = await Client.SendAsync(request, Cancel);
        await ProblemBody.AssertAsync(response, HttpStatusCode.MethodNotAllowed, "method-not-allowed");
        Assert.Equal("POST", Assert.Single(response.Content.Headers.Allow));
    }

    [Fact]
    public async Task Detect_Head_Is405WithoutABody()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "detect");
        using var response = await Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Cancel));
    }

    [Theory]
    [InlineData("/models/..%2f..%2fetc%2fpasswd", "unknown-model")]
    [InlineData("/models/%2e%2e%2fblood-cells", "unknown-model")]
    [InlineData("/models/..%5c..%5cmodel.json", "unknown-model")]
    [InlineData("/models/BLOOD-CELLS", "unknown-model")]
    [InlineData("/models/../../etc/passwd", "not-found")]
    [InlineData("/models/blood-cells/model.json", "not-found")]
    public async Task Models_PathThatClimbs_IsNotFound(string path, string type)
    {
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 404 ", answer, StringComparison.Ordinal);
        Assert.Contains("application/problem+json", answer, StringComparison.Ordinal);
        Assert.Contains($"\"type\":\"{type}\"", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_ExpectContinue_AsksForTheBodyAndAnswers()
    {
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: "
            + $"{Sample.Length}\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 100 ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
        await connection.SendAsync(Sample);
        Assert.StartsWith("HTTP/1.1 200 ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
        Assert.Contains("\"detections\":[{", await connection.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Detect_ExpectContinueForTooMuch_IsRefusedBeforeTheBody()
    {
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: "
            + "100000000\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413 ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/octet-stream", "\xFF\xD8\xFF")]
    [InlineData(
        "multipart/form-data; boundary=xyz", "--xyz\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nabc")]
    public async Task Detect_ClientsThatHangUp_LeaveTheServiceAlive(string contentType, string start)
    {
        var logged = fixture.Service.Log.All.Count;
        for (var i = 0; i < 20; i++)
        {
            using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
            await connection.SendAsync(
                $"POST /detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: {contentType}\r\nContent-Length: "
                + "1000000\r\n\r\n");
            await connection.SendAsync(Encoding.Latin1.GetBytes(start));
            connection.Reset();
        }

        Assert.NotEmpty((await Client.DetectAsync(Sample)).Detections());
        Assert.DoesNotContain(
            fixture.Service.Log.All.Skip(logged), line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Detect_BodyThatEndsEarly_Is400()
    {
        // Chunked, and the last chunk is shorter than it says.
        using var connection = await RawConnection.OpenAsync(fixture.Service.Address);
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: "
            + "chunked\r\n\r\nnonsense\r\n");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 400 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"bad-request\"", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("image/jpeg")]
    [InlineData("multipart/form-data; boundary=xyz")]
    [Trait("Speed", "slow")]
    public async Task Detect_BodyThatStops_Is408(string contentType)
    {
        // So fast a body is asked for that a silent one is cut off as soon as the server looks.
        using var service = new RunningService(services => services.Configure<KestrelServerOptions>(
            kestrel => kestrel.Limits.MinRequestBodyDataRate = new MinDataRate(1e9, TimeSpan.FromSeconds(1.1))));
        using var connection = await RawConnection.OpenAsync(service.Address);
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: "
            + $"{contentType}\r\nContent-Length: 1000\r\n\r\n--xyz");
        var answer = await connection.ReadToEndAsync();
        Assert.StartsWith("HTTP/1.1 408 ", answer, StringComparison.Ordinal);
        Assert.Contains("\"type\":\"body-too-slow\"", answer, StringComparison.Ordinal);
    }
}
