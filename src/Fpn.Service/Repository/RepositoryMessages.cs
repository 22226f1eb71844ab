using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Service.Problems;

namespace Fpn.Service.Repository;

/// <summary>The body of an index request.</summary>
/// <param name="Ready">True leaves out what is not served.</param>
internal sealed record RepositoryIndexRequest(bool Ready = false);

/// <summary>The body of a load or unload request, which may also be empty.</summary>
/// <param name="Parameters">
/// Only <c>unload_dependents</c> is known: a boolean without effect, since no model depends on another.
/// </param>
internal sealed record RepositoryChangeRequest(IReadOnlyDictionary<string, JsonElement>? Parameters = null);

/// <summary>A package in the index.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Version">The version that is served, or the number of its folder; absent when it has neither.</param>
/// <param name="State">READY, LOADING or UNAVAILABLE; absent for a package that was never loaded.</param>
/// <param name="Reason">Why it is not served, or why a newer package did not take over.</param>
internal sealed record RepositoryModelResponse(
    string Name,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Version,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? State,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Reason);

/// <summary>Serializes the messages without reflection, strict about members.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(RepositoryIndexRequest))]
[JsonSerializable(typeof(RepositoryChangeRequest))]
[JsonSerializable(typeof(IReadOnlyList<RepositoryModelResponse>))]
internal sealed partial class RepositoryJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static RepositoryJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
