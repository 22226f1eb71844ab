using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Fpn.Service.Security;
using Fpn.Testing.Images;
using Fpn.Testing.Running;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting.Internal;
using Microsoft.Extensions.Logging.Abstractions;

namespace Fpn.Service.Tests.Security;

/// <summary>Who is let in, who is not, and what each is told.</summary>
public sealed class KeyGateTests(GuardedService guarded) : IClassFixture<GuardedService>
{
    private static readonly byte[] Image = MadePng.OnePixel();

    private HttpClient Client => guarded.Service.Client;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Detect_NoKey_Is401ThatSaysHow()
    {
        using var response = await SendAsync(HttpMethod.Post, "detect");
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.Unauthorized, "key-missing");
        Assert.Contains("X-Api-Key", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Equal("Bearer", Assert.Single(response.Headers.WwwAuthenticate).Scheme);
    }

    [Theory]
    [InlineData("X-Api-Key: " + KeyFile.Alice)]
    [InlineData("x-api-key: " + KeyFile.Alice)]
    [InlineData("Authorization: Bearer " + KeyFile.Alice)]
    [InlineData("Authorization: bearer " + KeyFile.Alice)]
    [InlineData("X-Api-Key: " + KeyFile.Alice, "Authorization: Bearer " + KeyFile.Alice)]
    [InlineData("X-Api-Key: " + KeyFile.Alice, "Authorization: Basic dXNlcjpwYXNzd29yZA==")]
    public async Task Detect_RightKey_IsAnswered(params string[] headers)
    {
        using var response = await SendAsync(HttpMethod.Post, "detect", headers);
        Assert.Equal(1, (await response.ReadDetectionAsync()).GetProperty("image").GetProperty("width").GetInt32());
    }

    [Theory]
    [InlineData("key-wrong", "X-Api-Key: " + KeyFile.Bob)]
    [InlineData("key-wrong", "X-Api-Key: " + KeyFile.Alice + "x")]
    [InlineData("key-wrong", "X-Api-Key: Bearer " + KeyFile.Alice)]
    [InlineData("key-wrong", "Authorization: Bearer " + KeyFile.Bob)]
    [InlineData("key-wrong", "X-Api-Key: " + KeyFile.Alice, "X-Api-Key: " + KeyFile.Alice)]
    [InlineData("key-wrong", "X-Api-Key: " + KeyFile.Alice, "Authorization: Bearer " + KeyFile.Bob)]
    [InlineData("key-wrong", "X-Api-Key: " + KeyFile.Bob, "Authorization: Bearer " + KeyFile.Alice)]
    [InlineData("key-missing", "X-Api-Key: ")]
    [InlineData("key-missing", "Authorization: Bearer ")]
    [InlineData("key-missing", "Authorization: " + KeyFile.Alice)]
    [InlineData("key-missing", "Authorization: Basic dXNlcjpwYXNzd29yZA==")]
    public async Task Detect_OtherKey_Is401(string type, params string[] headers)
    {
        // By hand: HttpClient joins headers of one name.
        using var connection = await RawConnection.OpenAsync(guarded.Service.Address);
        await connection.SendDetectAsync(Image, string.Concat(headers.Select(header => $"{header}\r\n")));
        var answer = await connection.ReadAnswerAsync();
        Assert.Equal(401, answer.Status);
        Assert.Contains($"\"type\":\"{type}\"", answer.Body, StringComparison.Ordinal);
        Assert.DoesNotContain("5f2c9e7d", answer.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(512)]
    [InlineData(513)]
    [InlineData(8000)]
    public async Task Detect_LongKey_Is401(int length)
    {
        using var response = await SendAsync(HttpMethod.Post, "detect", "X-Api-Key: " + new string('k', length));
        await ProblemBody.AssertAsync(response, HttpStatusCode.Unauthorized, "key-wrong");
    }

    [Fact]
    public async Task Detect_NoKeyAndExpectContinue_IsRefusedBeforeTheBody()
    {
        using var connection = await RawConnection.OpenAsync(guarded.Service.Address);
        await connection.SendAsync(
            "POST /detect HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 1000000\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 401 ", await connection.ReadHeadAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Content-Length: 1000000")]
    [InlineData("Content-Length: 10000000000")]
    [InlineData("Transfer-Encoding: chunked")]
    public async Task Detect_NoKeyAndABodyThatNeverComes_IsAnsweredAtOnce(string length)
    {
        using var connection = await RawConnection.OpenAsync(guarded.Service.Address);
        await connection.SendAsync($"POST /detect HTTP/1.1\r\nHost: test\r\n{length}\r\n\r\n");
        Assert.Equal(401, (await connection.ReadAnswerAsync()).Status);
    }

    [Fact]
    public async Task Scopes_Missing_Are403()
    {
        using var detect = await SendAsync(HttpMethod.Post, "detect", "X-Api-Key: " + GuardedService.Scraper);
        var problem = await ProblemBody.AssertAsync(detect, HttpStatusCode.Forbidden, "scope-missing");
        Assert.Contains("'scraper'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.Contains("'detect'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);

        const string Load = "v2/repository/models/blood-cells/load";
        using var load = await SendAsync(HttpMethod.Post, Load, "X-Api-Key: " + KeyFile.Alice);
        Assert.Equal(HttpStatusCode.Forbidden, load.StatusCode);
        Assert.Contains("admin", await load.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        using var control = await SendAsync(HttpMethod.Post, Load, "X-Api-Key: " + GuardedService.Operator);
        Assert.Contains(
            "Fpn:Control:Enabled", await control.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(KeyFile.Alice, "high", "'normal'")]
    [InlineData(GuardedService.Patient, "normal", "'low'")]
    [InlineData(GuardedService.Patient, "HIGH", "'low'")]
    public async Task Priority_AboveTheKeys_Is403(string key, string priority, string highest)
    {
        using var response = await SendAsync(HttpMethod.Post, "detect", "X-Api-Key: " + key, "X-Priority: " + priority);
        var problem = await ProblemBody.AssertAsync(response, HttpStatusCode.Forbidden, "priority-not-allowed");
        Assert.Contains(highest, problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(GuardedService.Operator, "high")]
    [InlineData(KeyFile.Alice, "normal")]
    [InlineData(KeyFile.Alice, "low")]
    [InlineData(GuardedService.Patient, "low")]
    [InlineData(GuardedService.Patient, null)]
    public async Task Priority_UpToTheKeys_IsAnswered(string key, string? priority)
    {
        var asked = priority is null ? Array.Empty<string>() : ["X-Priority: " + priority];
        using var response = await SendAsync(HttpMethod.Post, "detect", ["X-Api-Key: " + key, .. asked]);
        await response.ReadDetectionAsync();
    }

    /// <summary>
    /// The protocol's 1 is the highest; what is asked for in the body is held to the same as what headers ask for.
    /// </summary>
    [Theory]
    [InlineData(GuardedService.Operator, 1, HttpStatusCode.OK)]
    [InlineData(KeyFile.Alice, 1, HttpStatusCode.Forbidden)]
    [InlineData(KeyFile.Alice, 0, HttpStatusCode.OK)]
    [InlineData(GuardedService.Patient, 1, HttpStatusCode.Forbidden)]
    [InlineData(GuardedService.Patient, 0, HttpStatusCode.OK)]
    public async Task Infer_PriorityInTheBody_IsHeldToTheKeys(string key, int priority, HttpStatusCode status)
    {
        using var response = await InferAsync(key, 1, $$""", "parameters": { "priority": {{priority}} }""");
        Assert.Equal(status, response.StatusCode);
    }

    [Fact]
    public async Task Infer_SeveralImages_CostOneEach()
    {
        using var first = await InferAsync(GuardedService.Batcher, 4);
        Assert.Equal(HttpStatusCode.OK, first.StatusCode);
        using var second = await InferAsync(GuardedService.Batcher, 1);
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);

        // Of four images, the bucket had two; the two that are owed and the one asked for take a minute each.
        Assert.InRange(second.Headers.RetryAfter!.Delta!.Value.TotalMinutes, 2, 3);
    }

    [Fact]
    public async Task Rate_Exceeded_Is429WithRetryAfterForThisKeyOnly()
    {
        for (var i = 0; i < 2; i++)
        {
            using var good = await SendAsync(HttpMethod.Get, "models", "X-Api-Key: " + GuardedService.Slow);
            Assert.Equal(HttpStatusCode.OK, good.StatusCode);
        }

        using var refused = await SendAsync(HttpMethod.Post, "detect", "X-Api-Key: " + GuardedService.Slow);
        var problem = await ProblemBody.AssertAsync(refused, HttpStatusCode.TooManyRequests, "rate-exceeded");
        Assert.Contains("'slow'", problem.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 1, 60);
        using var other = await SendAsync(HttpMethod.Get, "models", "X-Api-Key: " + KeyFile.Alice);
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    [Theory]
    [InlineData("health/live")]
    [InlineData("health/ready")]
    [InlineData("v2/health/live")]
    [InlineData("v2/health/ready")]
    [InlineData("")]
    [InlineData("swagger/index.html")]
    [InlineData("swagger/v1/swagger.json")]
    public async Task Open_NoKey_IsAnswered(string path)
    {
        using var response = await SendAsync(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Unserved_NoKey_TellsNothingButThat()
    {
        using var nothing = await SendAsync(HttpMethod.Get, "nothing/here");
        await ProblemBody.AssertAsync(nothing, HttpStatusCode.NotFound, "not-found");
        using var method = await SendAsync(HttpMethod.Delete, "detect");
        await ProblemBody.AssertAsync(method, HttpStatusCode.MethodNotAllowed, "method-not-allowed");
    }

    /// <summary>Whoever adds an endpoint has to say who may call it.</summary>
    [Fact]
    public async Task Endpoints_All_SayWhoMayCallAndHoldToIt()
    {
        var endpoints = guarded.Service.Services.GetServices<EndpointDataSource>()
            .SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .ToArray();
        Assert.Contains(endpoints, endpoint => endpoint.RoutePattern.RawText == "/detect");
        Assert.Contains(endpoints, endpoint => endpoint.RoutePattern.RawText == "/health/live");
        foreach (var endpoint in endpoints)
        {
            var requirement = endpoint.Metadata.GetMetadata<KeyRequirement>();
            Assert.True(requirement is not null, $"{endpoint.DisplayName}: neither RequireScope nor AllowWithoutKey.");
            var method = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods[0] ?? "GET";
            var path = string.Join('/', endpoint.RoutePattern.PathSegments.Select(segment =>
                segment.Parts is [RoutePatternLiteralPart literal] ? literal.Content : "x"));
            using var response = await SendAsync(new HttpMethod(method), path);
            Assert.True(
                response.StatusCode == HttpStatusCode.Unauthorized == (requirement.Scope != KeyScope.None),
                $"{endpoint.DisplayName} answers {(int)response.StatusCode} without a key.");
        }
    }

    [Fact]
    public async Task Endpoint_ThatSaysNothing_LetsNoKeyIn()
    {
        using var keys = new ApiKeys(
            new KeyOptions
            {
                Json = $"[{KeyFile.Entry("all", KeyFile.Alice, "\"scopes\": [\"detect\", \"metrics\", \"admin\"]")}]",
            },
            new HostingEnvironment(),
            TimeProvider.System,
            NullLogger<ApiKeys>.Instance);
        var entered = false;
        var gate = new KeyGate(
            _ =>
            {
                entered = true;
                return Task.CompletedTask;
            },
            new KeyCheck(keys));
        using var services = new ServiceCollection().BuildServiceProvider();
        var context = new DefaultHttpContext { RequestServices = services };
        context.SetEndpoint(New());
        context.Request.Headers["X-Api-Key"] = KeyFile.Alice;
        await gate.InvokeAsync(context);
        Assert.Equal(403, context.Response.StatusCode);
        Assert.False(entered);

        context = new DefaultHttpContext();
        context.SetEndpoint(New(new KeyRequirement(KeyScope.Metrics)));
        context.Request.Headers["X-Api-Key"] = KeyFile.Alice;
        await gate.InvokeAsync(context);
        Assert.True(entered);
        Assert.Equal("all", context.Caller().Name);

        static RouteEndpoint New(params object[] metadata) =>
            new(
                _ => Task.CompletedTask,
                RoutePatternFactory.Parse("/new"),
                0,
                new EndpointMetadataCollection(metadata),
                "new");
    }

    [Fact]
    public async Task Document_KeysOn_AsksForAKeyPerOperation()
    {
        var document = await Client.GetFromJsonAsync<JsonElement>("swagger/v1/swagger.json", Cancel);
        var schemes = document.GetProperty("components").GetProperty("securitySchemes");
        Assert.Equal("X-Api-Key", schemes.GetProperty("ApiKey").GetProperty("name").GetString());
        Assert.Equal("bearer", schemes.GetProperty("Bearer").GetProperty("scheme").GetString());
        foreach (var path in document.GetProperty("paths").EnumerateObject())
        {
            foreach (var operation in path.Value.EnumerateObject())
            {
                if (path.Name.Contains("/health/", StringComparison.Ordinal))
                {
                    Assert.False(operation.Value.TryGetProperty("security", out _));
                    continue;
                }

                var needs = operation.Value.GetProperty("security").EnumerateArray();
                Assert.Equal(
                    ["ApiKey", "Bearer"],
                    needs.SelectMany(need => need.EnumerateObject().Select(scheme => scheme.Name)));
                var responses = operation.Value.GetProperty("responses");
                Assert.All(
                    ["401", "403", "429"], status => Assert.True(responses.TryGetProperty(status, out _), path.Name));
            }
        }
    }

    [Fact]
    public async Task Log_Requests_NameTheKeyAndNeverHoldIt()
    {
        var start = guarded.Service.Log.All.Count;
        using var response = await SendAsync(HttpMethod.Get, "models", "X-Api-Key: " + KeyFile.Alice);
        var id = Assert.Single(response.Headers.GetValues("X-Request-Id"));
        var log = guarded.Service.Log;
        var line = await log.WaitForAsync(start, line => line.Contains(id, StringComparison.Ordinal), Cancel);
        Assert.Contains($"[client 127.0.0.1, key alice, request {id}]", line, StringComparison.Ordinal);
        Assert.DoesNotContain(log.All, line => line.Contains("5f2c9e7d", StringComparison.Ordinal));
    }

    private async Task<HttpResponseMessage> InferAsync(string key, int images, string more = "")
    {
        var data = string.Join(',', Enumerable.Repeat($"\"{Convert.ToBase64String(Image)}\"", images));
        using var request = new HttpRequestMessage(HttpMethod.Post, "v2/models/blood-cells/infer")
        {
            Content = new StringContent(
                $$"""
                {
                  "inputs": [{
                    "name": "image", "shape": [{{images}}], "datatype": "BYTES", "data": [{{data}}] }]{{more}}
                }
                """),
        };
        request.Headers.Add("X-Api-Key", key);
        return await Client.SendAsync(request, Cancel);
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, params string[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (method == HttpMethod.Post)
        {
            request.Content = new ByteArrayContent(Image);
        }

        foreach (var header in headers)
        {
            var colon = header.IndexOf(':', StringComparison.Ordinal);
            Assert.True(request.Headers.TryAddWithoutValidation(header[..colon], header[(colon + 1)..].Trim()));
        }

        return await Client.SendAsync(request, Cancel);
    }
}
