using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Service.Problems;

namespace Fpn.Service.Explorer;

/// <summary>The settings of the service that the page needs.</summary>
/// <param name="MaxImageBytes">Larger files are refused: the page says so before it uploads them.</param>
/// <param name="MaxImagePixels">Likewise, width times height.</param>
/// <param name="Formats">Names of the image formats that are read; they follow from the build and the codec.</param>
/// <param name="Samples">The sample images.</param>
internal sealed record ExplorerSettings(
    long MaxImageBytes, long MaxImagePixels, IReadOnlyList<string> Formats, IReadOnlyList<ExplorerSample> Samples);

/// <summary>A picture to try.</summary>
/// <param name="Model">The model whose classes are in it; it need not be served.</param>
/// <param name="Name">File name.</param>
internal sealed record ExplorerSample(string Model, string Name);

/// <summary>Serializes the settings without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ExplorerSettings))]
internal sealed partial class ExplorerJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static ExplorerJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
