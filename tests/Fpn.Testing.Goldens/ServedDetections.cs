using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Fpn.Testing.Goldens;

/// <summary>Asks the service, as a client would.</summary>
internal static class ServedDetections
{
    private static readonly string[] Corners = ["x1", "y1", "x2", "y2"];

    /// <summary>Posts an image and returns the answer's body.</summary>
    /// <param name="client">Whose base address is the service's.</param>
    /// <param name="image">The encoded image.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="model">Which model answers; null for the default one.</param>
    public static async Task<JsonElement> PostAsync(
        HttpClient client, byte[] image, CancellationToken cancellationToken, string? model = null)
    {
        using var content = new ByteArrayContent(image);
        var path = new Uri(model is null ? "detect" : $"detect?model={model}", UriKind.Relative);
        using var response = await client.PostAsync(path, content, cancellationToken);
        Assert.True(
            response.StatusCode == HttpStatusCode.OK,
            $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
    }

    /// <summary>The detections of an answer, in its order.</summary>
    public static GoldenDetection[] Of(JsonElement body) =>
        [.. body.GetProperty("detections").EnumerateArray().Select(detection => new GoldenDetection(
            detection.GetProperty("label").GetString()!,
            detection.GetProperty("score").GetDouble(),
            [.. Corners.Select(corner => detection.GetProperty("box").GetProperty(corner).GetDouble())],
            detection.TryGetProperty("level", out var level) ? level.GetString() : null))];
}
