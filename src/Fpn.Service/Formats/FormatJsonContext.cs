using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Service.Problems;

namespace Fpn.Service.Formats;

/// <summary>Serializes the formats that are JSON, besides the service's own, without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CocoResponse[]))]
internal sealed partial class FormatJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static FormatJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
