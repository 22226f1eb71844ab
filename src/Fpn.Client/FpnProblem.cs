using System.Text.Json;

namespace Fpn.Client;

/// <summary>Why a request or an image of a batch failed: problem details of RFC 9457.</summary>
public sealed record FpnProblem
{
    /// <summary>The type of answers that are not problem details, such as those of a proxy.</summary>
    public const string UnknownType = "about:blank";

    /// <summary>Stable and documented, such as <c>unknown-model</c>: compare this one.</summary>
    public string Type { get; init; } = UnknownType;

    /// <summary>HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The same for every problem of the type.</summary>
    public required string Title { get; init; }

    /// <summary>What was wrong here, for people to read.</summary>
    public string? Detail { get; init; }

    /// <summary>The parameter or part that was wrong, if one was.</summary>
    public string? Parameter { get; init; }

    /// <summary>When another try is worth while, where that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>What the request is found by in the service's log.</summary>
    public string? TraceId { get; init; }

    /// <summary>All members beyond those above.</summary>
    public IReadOnlyDictionary<string, JsonElement> Extensions { get; init; } =
        System.Collections.ObjectModel.ReadOnlyDictionary<string, JsonElement>.Empty;
}
