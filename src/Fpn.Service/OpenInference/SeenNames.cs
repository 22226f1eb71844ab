using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>The known members of one JSON object that have come.</summary>
/// <remarks>A name that comes twice is refused: readers of JSON disagree on which of the two counts.</remarks>
internal sealed class SeenNames
{
    private static readonly string[] Known =
    [
        "id", "parameters", "inputs", "outputs", "name", "datatype", "shape", "data",
        InferParameters.Priority, InferParameters.Timeout,
        InferParameters.BinaryDataOutput, InferParameters.BinaryDataSize, InferParameters.BinaryData,
        InferParameters.ScoreThreshold, InferParameters.MaxDetections, InferParameters.Labels,
    ];

    private uint _seen;

    /// <summary>Notes a name.</summary>
    /// <param name="name">The name, or null.</param>
    /// <param name="path">What to call it.</param>
    /// <returns>The problem that it has come before, or null.</returns>
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
