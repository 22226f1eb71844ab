using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fpn.Client;

/// <summary>Reads answers without reflection. Members that this version does not know are ignored; those that it needs
/// must be there and not null.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    RespectNullableAnnotations = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip)]
[JsonSerializable(typeof(DetectionResult))]
[JsonSerializable(typeof(BatchBody))]
[JsonSerializable(typeof(ModelInfo))]
[JsonSerializable(typeof(ModelListBody))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ClientJson : JsonSerializerContext;

/// <summary>The answer of <c>/models</c> as it is sent.</summary>
internal sealed class ModelListBody
{
    /// <summary>The default one first.</summary>
    public required IReadOnlyList<ModelInfo> Models { get; init; }
}

/// <summary>Problem details as they are sent. RFC 9457 requires none of the members.</summary>
internal sealed class ProblemBody
{
    public string? Type { get; set; }

    public string? Title { get; set; }

    /// <summary>Only batches go by it: a whole answer has the HTTP status.</summary>
    public int? Status { get; set; }

    public string? Detail { get; set; }

    public string? Parameter { get; set; }

    public long? RetryAfterSeconds { get; set; }

    public string? TraceId { get; set; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Extensions { get; set; }

    /// <summary>What a caller sees of it.</summary>
    /// <param name="status">The answer's HTTP status, or the image's in a batch.</param>
    /// <param name="retryAfter">The header's, which counts before the body's.</param>
    public FpnProblem ToProblem(int status, TimeSpan? retryAfter)
    {
        var problem = new FpnProblem
        {
            Status = status,
            Type = Type ?? FpnProblem.UnknownType,
            Title = Title ?? $"HTTP {status}",
            Detail = Detail,
            Parameter = Parameter,
            RetryAfter = retryAfter ?? (RetryAfterSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null),
            TraceId = TraceId,
        };
        return Extensions is null ? problem : problem with { Extensions = Extensions };
    }
}

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
