using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fpn.Client;

/// <summary>Whether the service is ready, and why.</summary>
public sealed record HealthReport
{
    /// <summary><c>Healthy</c> or <c>Unhealthy</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What was looked at, by name.</summary>
    public required IReadOnlyDictionary<string, HealthCheck> Checks { get; init; }

    /// <summary>Whether requests can be answered.</summary>
    [JsonIgnore]
    public bool IsReady => Status == "Healthy";
}

/// <summary>One thing that was looked at.</summary>
public sealed record HealthCheck
{
    /// <summary><c>Healthy</c> or <c>Unhealthy</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why, in a sentence.</summary>
    public string? Description { get; init; }

    /// <summary>Details, such as what the models run on.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Data { get; init; }
}
