using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Service.Problems;

namespace Fpn.Service.Answers;

/// <summary>Serializes answers without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DetectionResponse))]
[JsonSerializable(typeof(ProposalsResponse))]
[JsonSerializable(typeof(RegionsResponse))]
internal sealed partial class AnswerJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static AnswerJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
