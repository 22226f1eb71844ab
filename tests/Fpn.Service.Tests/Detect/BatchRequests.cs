using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Fpn.Service.Tests.Detect;

/// <summary>Requests to <c>/detect/batch</c>.</summary>
internal static class BatchRequests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Sends a form with these images.</summary>
    /// <param name="client">Whose base address is the service's.</param>
    /// <param name="images">The parts, in this order.</param>
    /// <param name="query">Without its question mark.</param>
    /// <param name="headers">More headers.</param>
    public static async Task<HttpResponseMessage> PostBatchAsync(
        this HttpClient client,
        IEnumerable<byte[]> images,
        string query = "",
        params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"detect/batch?{query}") { Content = Form(images) };
        foreach (var (name, value) in headers)
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value));
        }

        return await client.SendAsync(request, Cancel);
    }

    /// <summary>Sends a form and returns the results of an answer that must be a success.</summary>
    public static async Task<JsonElement[]> BatchAsync(
        this HttpClient client,
        IEnumerable<byte[]> images,
        string query = "",
        params (string Name, string Value)[] headers)
    {
        using var response = await client.PostBatchAsync(images, query, headers);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode}: {text}");
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType?.ToString());
        var answer = await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
        Assert.Equal(["results"], answer.EnumerateObject().Select(property => property.Name));
        return [.. answer.GetProperty("results").EnumerateArray()];
    }

    /// <summary>A form with these images.</summary>
    public static MultipartFormDataContent Form(IEnumerable<byte[]> images)
    {
        var form = new MultipartFormDataContent();
        foreach (var image in images)
        {
            form.Add(new ByteArrayContent(image), "images", "picture");
        }

        return form;
    }

    /// <summary>Asserts that a result is a complete problem of this status and type.</summary>
    public static void AssertProblem(JsonElement result, int status, string type)
    {
        Assert.True(result.TryGetProperty("type", out var actual), result.GetRawText());
        Assert.Equal((type, status), (actual.GetString(), result.GetProperty("status").GetInt32()));
        Assert.All(["title", "detail", "traceId"], name => Assert.NotEmpty(result.GetProperty(name).GetString()!));
    }
}
