namespace Fpn.Service.OpenInference;

/// <summary>An output of every model.</summary>
internal enum OutputTensor
{
    /// <summary>FP32 [M, 4]: xyxy in pixels of the image as displayed, not rounded.</summary>
    Boxes,

    /// <summary>FP32 [M]: 0 to 1, not rounded.</summary>
    Scores,

    /// <summary>INT64 [M]: the <c>classId</c> of <c>/detect</c>.</summary>
    Labels,

    /// <summary>INT64 [M]: which of the N images it was found in, from 0.</summary>
    ImageIndex,
}

/// <summary>Names, types and shapes of the tensors as the protocol writes them.</summary>
internal static class Tensors
{
    /// <summary>Name of the one input.</summary>
    public const string Input = "image";

    /// <summary>Datatype of the one input: variable-length bytes, an encoded image an element.</summary>
    public const string InputDatatype = "BYTES";

    /// <summary>All outputs, in the order in which they are sent when the request names none.</summary>
    public static IReadOnlyList<OutputTensor> All { get; } = Enum.GetValues<OutputTensor>();

    /// <summary>The output of a name, or null.</summary>
    public static OutputTensor? FindOutput(string? name)
    {
        foreach (var tensor in All)
        {
            if (tensor.Name() == name)
            {
                return tensor;
            }
        }

        return null;
    }

    /// <summary>Name of an output.</summary>
    public static string Name(this OutputTensor tensor) => tensor switch
    {
        OutputTensor.Boxes => "boxes",
        OutputTensor.Scores => "scores",
        OutputTensor.Labels => "labels",
        _ => "image_index",
    };

    /// <summary>Datatype of an output's elements.</summary>
    public static string Datatype(this OutputTensor tensor) =>
        tensor is OutputTensor.Boxes or OutputTensor.Scores ? "FP32" : "INT64";

    /// <summary>Numbers per detection.</summary>
    public static int Width(this OutputTensor tensor) => tensor == OutputTensor.Boxes ? 4 : 1;

    /// <summary>Bytes of one number.</summary>
    public static int ElementSize(this OutputTensor tensor) =>
        tensor is OutputTensor.Boxes or OutputTensor.Scores ? sizeof(float) : sizeof(long);
}
