using System.Net;
using System.Net.Http.Json;
using System.Text.Json;

namespace Fpn.Testing.Running;

/// <summary>Requests to the endpoints that ask one stage alone.</summary>
internal static class StageRequests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Sends an image to <c>/proposals</c>.</summary>
    public static async Task<HttpResponseMessage> PostProposalsAsync(
        this HttpClient client, byte[] image, string query = "")
    {
        using var content = new ByteArrayContent(image);
        return await client.PostAsync($"proposals?{query}", content, Cancel);
    }

    /// <summary>Sends an image to <c>/proposals</c> and returns the answer, which must be a success.</summary>
    public static async Task<JsonElement> ProposeAsync(this HttpClient client, byte[] image, string query = "")
    {
        using var response = await client.PostProposalsAsync(image, query);
        return await response.ReadJsonAsync();
    }

    /// <summary>Sends an image and boxes to <c>/regions</c> as a form.</summary>
    /// <param name="client">Whose base address is the service's.</param>
    /// <param name="image">The image.</param>
    /// <param name="boxes">JSON, or what is none.</param>
    /// <param name="query">Without its question mark.</param>
    public static async Task<HttpResponseMessage> PostRegionsAsync(
        this HttpClient client, byte[] image, string boxes, string query = "")
    {
        using var form = new MultipartFormDataContent
        {
            { new ByteArrayContent(image), "image", "image" },
            { new StringContent(boxes), "boxes" },
        };
        return await client.PostAsync($"regions?{query}", form, Cancel);
    }

    /// <summary>Sends an image and boxes to <c>/regions</c> and returns the answer, which must be a success.</summary>
    public static async Task<JsonElement> ClassifyAsync(
        this HttpClient client, byte[] image, string boxes, string query = "")
    {
        using var response = await client.PostRegionsAsync(image, boxes, query);
        return await response.ReadJsonAsync();
    }

    /// <summary>The regions of an answer.</summary>
    public static JsonElement[] Regions(this JsonElement answer) =>
        [.. answer.GetProperty("regions").EnumerateArray()];

    /// <summary>The body of an answer that must be a success.</summary>
    public static async Task<JsonElement> ReadJsonAsync(this HttpResponseMessage response)
    {
        Assert.True(response.StatusCode == HttpStatusCode.OK,
            $"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(Cancel)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(Cancel);
    }

    /// <summary>The proposals of an answer as they were written.</summary>
    public static string[] Proposals(this JsonElement answer) =>
        [.. answer.GetProperty("proposals").EnumerateArray().Select(proposal => proposal.GetRawText())];

    /// <summary>x1, y1, x2, y2 of an item's box.</summary>
    public static double[] Corners(this JsonElement item) =>
        [.. item.GetProperty("box").EnumerateObject().Select(side => side.Value.GetDouble())];
}
