using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fpn.Client.Sending;

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
