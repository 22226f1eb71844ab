using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.Execution.Sessions;

/// <summary>An input or an output of a graph, as its file declares it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type as in numpy: <c>float32</c>, <c>float16</c>, <c>uint8</c>, <c>int64</c>.</param>
/// <param name="Dimensions">Its sizes: a number, the name of a free one, or <c>?</c> where that has no name.</param>
internal sealed record TensorPort(string Name, string Type, IReadOnlyList<string> Dimensions)
{
    /// <summary>Describes an input or an output by its session's metadata.</summary>
    public static TensorPort Create(string name, NodeMetadata metadata)
    {
        if (!metadata.IsTensor)
        {
            return new TensorPort(name, metadata.OnnxValueType.ToString().ToLowerInvariant(), []);
        }

        var names = metadata.SymbolicDimensions;
        return new TensorPort(name, TypeName(metadata.ElementDataType), [.. metadata.Dimensions.Select(Dimension)]);

        string Dimension(int size, int index) =>
            size >= 0 ? $"{size}" : names[index] is { Length: > 0 } free ? free : "?";
    }

    private static string TypeName(TensorElementType type) => type switch
    {
        TensorElementType.Float => "float32",
        TensorElementType.Double => "float64",
        _ => type.ToString().ToLowerInvariant(),
    };
}
