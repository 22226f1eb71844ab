using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Fpn.Testing.Running;

/// <summary>Reads problem details and holds them against the contract.</summary>
internal static class ProblemBody
{
    /// <summary>Asserts that the answer is a complete problem of this status and type, and returns its body.</summary>
    public static async Task<JsonElement> AssertAsync(HttpResponseMessage response, HttpStatusCode status, string type)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == status,
            $"Expected {(int)status} {type}, got {(int)response.StatusCode}: {text}");
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        var body = await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        Assert.Equal(type, body.GetProperty("type").GetString());
        Assert.Equal((int)status, body.GetProperty("status").GetInt32());
        Assert.NotEmpty(body.GetProperty("title").GetString()!);
        Assert.NotEmpty(body.GetProperty("detail").GetString()!);
        Assert.NotEmpty(body.GetProperty("traceId").GetString()!);
        return body;
    }

    /// <summary>Asserts that the answer is the problem of a wrong parameter and names it; returns its body.</summary>
    public static async Task<JsonElement> AssertBadParameterAsync(HttpResponseMessage response, string? parameter)
    {
        var problem = await AssertAsync(response, HttpStatusCode.BadRequest, "bad-parameter");
        Assert.Equal(parameter, problem.GetProperty("parameter").GetString());
        return problem;
    }
}
