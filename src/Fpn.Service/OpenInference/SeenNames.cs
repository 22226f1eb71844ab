using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>The known members of a JSON object that were read.</summary>
/// <remarks>A name that is repeated is refused: readers of JSON disagree on which value counts.</remarks>
internal sealed class SeenNames
{
    private static readonly string[] Known =
    [
        "id", "parameters", "inputs", "outputs", "name", "datatype", "shape", "data",
        InferParameters.Priority, InferParameters.Timeout,
        InferParameters.BinaryDataOutput, InferParameters.BinaryDataSize, InferParameters.BinaryData,
        InferParameters.ScoreThreshold, InferParameters.MaxDetections, InferParameters.Labels,
        InferProposals.TopN, InferProposals.NmsThreshold,
        .. InferViews.Names,
    ];

    private uint _seen;

    /// <summary>Notes a name.</summary>
    /// <param name="name">The name, or null.</param>
    /// <param name="path">Its name in messages.</param>
    /// <returns>The problem that it is repeated, or null.</returns>
    public Problem? Twice(string? name, string? path)
    {
        var index = Array.IndexOf(Known, name);
        if (index < 0)
        {
            return null;
        }

        var bit = 1u << index;
        var twice = (_seen & bit) != 0;
        _seen |= bit;
        return twice ? Problem.BadParameter(path ?? Known[index], "Is given twice.") : null;
    }
}
