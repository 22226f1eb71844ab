using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>What the server is: <c>GET /v2</c>.</summary>
/// <param name="Name">Name of the program.</param>
/// <param name="Version">Its version.</param>
/// <param name="Extensions">Extensions of the protocol that it serves.</param>
internal sealed record ServerMetadataResponse(string Name, string Version, IReadOnlyList<string> Extensions);

/// <summary>Whether the server answers.</summary>
/// <param name="Live">Always, if it can be read.</param>
internal sealed record ServerLiveResponse(bool Live);

/// <summary>Whether every model can be asked.</summary>
/// <param name="Live">Whether the server answers.</param>
/// <param name="Ready">Whether every model can be asked and the server is not shutting down.</param>
/// <param name="Error">Why it is not ready; absent when it is.</param>
internal sealed record ServerReadyResponse(
    bool Live, bool Ready, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

/// <summary>Whether a model can be asked.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Ready">Whether it is loaded and its device works.</param>
/// <param name="Error">Why it is not ready; absent when it is.</param>
internal sealed record ModelReadyResponse(
    string Name, bool Ready, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error);

/// <summary>What a model takes and gives.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Versions">The loaded versions, the oldest first; or the one that was asked for.</param>
/// <param name="Platform">What the graphs are made for.</param>
/// <param name="Inputs">The one input.</param>
/// <param name="Outputs">The four outputs of a request that names none.</param>
internal sealed record ModelMetadataResponse(
    string Name,
    IReadOnlyList<string> Versions,
    string Platform,
    IReadOnlyList<TensorMetadataResponse> Inputs,
    IReadOnlyList<TensorMetadataResponse> Outputs);

/// <summary>A tensor.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Datatype">BYTES, FP32 or INT64.</param>
/// <param name="Shape">-1 where the size varies.</param>
internal sealed record TensorMetadataResponse(string Name, string Datatype, IReadOnlyList<int> Shape);

/// <summary>A failure, as the protocol wants it.</summary>
/// <param name="Error">What was wrong, and what to do.</param>
internal sealed record ErrorResponse(string Error)
{
    /// <summary>Puts a problem into one text, for defects with the traceId by which the log names them.</summary>
    public static string TextFor(Problem problem, string traceId) =>
        problem.Status == StatusCodes.Status500InternalServerError
            ? $"{TextFor(problem)} (traceId {traceId})"
            : TextFor(problem);

    /// <summary>The detail of a problem, after the parameter at fault.</summary>
    public static string TextFor(Problem problem) =>
        problem.Parameter is { } parameter && !IsNamed(parameter, problem.Detail)
            ? $"{parameter}: {problem.Detail}"
            : problem.Detail;

    /// <summary>Whether a detail names the parameter itself; those of model and version name the value.</summary>
    private static bool IsNamed(string parameter, string detail) =>
        parameter is "model" or "version" || detail.Contains($"'{parameter}'", StringComparison.Ordinal);
}

/// <summary>Serializes the responses without reflection, with the names of the protocol.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ServerMetadataResponse))]
[JsonSerializable(typeof(ServerLiveResponse))]
[JsonSerializable(typeof(ServerReadyResponse))]
[JsonSerializable(typeof(ModelReadyResponse))]
[JsonSerializable(typeof(ModelMetadataResponse))]
[JsonSerializable(typeof(StatisticsResponse))]
[JsonSerializable(typeof(ErrorResponse))]
internal sealed partial class OpenInferenceJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static OpenInferenceJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
