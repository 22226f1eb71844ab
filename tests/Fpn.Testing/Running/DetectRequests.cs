using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Fpn.Testing.Running;

/// <summary>Requests to <c>/detect</c>.</summary>
internal static class DetectRequests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Sends a body as it is.</summary>
    /// <param name="client">Whose base address is the service's.</param>
    /// <param name="body">The image, or what is not one.</param>
    /// <param name="query">Without its question mark.</param>
    /// <param name="contentType">Taken unchecked; null sends none.</param>
    public static async Task<HttpResponseMessage> PostDetectAsync(
        this HttpClient client, byte[] body, string query = "", string? contentType = "application/octet-stream")
    {
        using var content = new ByteArrayContent(body);
        if (contentType is not null)
        {
            Assert.True(content.Headers.TryAddWithoutValidation("Content-Type", contentType));
        }

        return await client.PostAsync($"detect?{query}", content, Cancel);
    }

    /// <summary>Sends an image and returns the answer, which must be a success.</summary>
    public static async Task<JsonElement> DetectAsync(this HttpClient client, byte[] image, string query = "")
    {
        using var response = await client.PostDetectAsync(image, query);
        return await response.ReadDetectionAsync();
    }

    /// <summary>The body of an answer that must be a success.</summary>
    public static async Task<JsonElement> ReadDetectionAsync(this HttpResponseMessage response)
    {
        Assert.True(response.StatusCode == HttpStatusCode.OK,
            $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancel)}");
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    /// <summary>The detections of an answer as they were written, for comparing answers whole.</summary>
    public static string[] Detections(this JsonElement answer) =>
        [.. answer.GetProperty("detections").EnumerateArray().Select(detection => detection.GetRawText())];
}
