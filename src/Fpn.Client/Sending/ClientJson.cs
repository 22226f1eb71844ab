using System.Text.Json;
using System.Text.Json.Serialization;

namespace Fpn.Client.Sending;

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
