using System.Text.Json;

namespace Fpn.Client.Sending;

/// <summary>The answer of <c>/detect/batch</c> as it is sent.</summary>
internal sealed class BatchBody
{
    /// <summary>Detections and problems, in the order of the images.</summary>
    public required List<JsonElement> Results { get; init; }

    /// <summary>What a caller sees of it.</summary>
    /// <exception cref="JsonException">A result is neither.</exception>
    public BatchItem[] ToItems() => [.. Results.Select(ToItem)];

    private static BatchItem ToItem(JsonElement result)
    {
        if (result.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("A result is not an object.");
        }

        return result.TryGetProperty("status", out var status) && status.TryGetInt32(out var code)
            ? new BatchItem { Problem = result.Deserialize(ClientJson.Default.ProblemBody)!.ToProblem(code, null) }
            : new BatchItem { Result = result.Deserialize(ClientJson.Default.DetectionResult) };
    }
}
