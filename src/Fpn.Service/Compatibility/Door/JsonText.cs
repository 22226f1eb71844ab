using System.Text.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Door;

/// <summary>How contracts write JSON.</summary>
internal static class JsonText
{
    /// <summary>Escapes no more than JSON must.</summary>
    public static JsonSerializerOptions Readable { get; } = new() { Encoder = ReadableEncoder.Instance };

    /// <inheritdoc cref="Readable"/>
    public static JsonWriterOptions ReadableWriter { get; } = new() { Encoder = ReadableEncoder.Instance };
}
