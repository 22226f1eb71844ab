namespace Fpn.Service.OpenInference.Outputs;

/// <summary>An output: four of every model, which stand for the detections, and four of two-stage models, for the
/// proposals of the first stage alone.</summary>
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

    /// <summary>FP32 [P, 4]: xyxy in pixels of the image as displayed, not rounded.</summary>
    ProposalBoxes,

    /// <summary>FP32 [P]: 0 to 1, not rounded.</summary>
    ProposalObjectness,

    /// <summary>INT64 [P]: which of the package's <c>levels</c> its anchor is of, from 0.</summary>
    ProposalLevels,

    /// <summary>INT64 [P]: which of the N images it was proposed in, from 0.</summary>
    ProposalImageIndex,
}

/// <summary>Names, types and shapes of the tensors as the protocol writes them.</summary>
internal static class Tensors
{
    /// <summary>Name of the one input.</summary>
    public const string Input = "image";

    /// <summary>Datatype of the one input: variable-length bytes, an encoded image an element.</summary>
    public const string InputDatatype = "BYTES";

    private static readonly OutputTensor[] All = Enum.GetValues<OutputTensor>();

    /// <summary>The outputs of detections, in the order in which they are sent when the request names none.</summary>
    public static IReadOnlyList<OutputTensor> OfDetections { get; } =
        [.. All.Where(tensor => !tensor.IsOfProposals())];

    /// <summary>All names, for messages.</summary>
    public static string KnownNames { get; } = string.Join(", ", All.Select(Name));

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
        OutputTensor.ImageIndex => "image_index",
        OutputTensor.ProposalBoxes => "proposal_boxes",
        OutputTensor.ProposalObjectness => "proposal_objectness",
        OutputTensor.ProposalLevels => "proposal_levels",
        _ => "proposal_image_index",
    };

    /// <summary>Whether an output stands for the proposals of the first stage, and not for the detections.</summary>
    public static bool IsOfProposals(this OutputTensor tensor) => tensor >= OutputTensor.ProposalBoxes;

    /// <summary>Datatype of an output's elements.</summary>
    public static string Datatype(this OutputTensor tensor) => tensor.HasFractions() ? "FP32" : "INT64";

    /// <summary>Numbers per row.</summary>
    public static int Width(this OutputTensor tensor) =>
        tensor is OutputTensor.Boxes or OutputTensor.ProposalBoxes ? 4 : 1;

    /// <summary>Bytes of one number.</summary>
    public static int ElementSize(this OutputTensor tensor) => tensor.HasFractions() ? sizeof(float) : sizeof(long);

    private static bool HasFractions(this OutputTensor tensor) => tensor
        is OutputTensor.Boxes
        or OutputTensor.Scores
        or OutputTensor.ProposalBoxes
        or OutputTensor.ProposalObjectness;
}
