using Fpn.Service.OpenInference;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Reads entries of the three maps of parameters, which mean what they mean over HTTP.</summary>
/// <remarks>
/// One by one, so that memory does not grow with their number. A name that is repeated counts the last time, as maps of
/// protocol buffers have it.
/// </remarks>
internal static class CallParameters
{
    /// <summary>
    /// Asks for a last answer without content from models that give many answers. Ours give one, which says that it is
    /// the last (<see cref="InferStream"/>), so that there is nothing more to do.
    /// </summary>
    private const string EmptyFinalResponse = "triton_enable_empty_final_response";

    private const int LongestName = 256;
    private const int KeyField = 1;
    private const int ValueField = 2;

    /// <summary>Reads a parameter of a request.</summary>
    /// <param name="entry">Entry of the map.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    /// <exception cref="InvalidDataException">This is not an entry.</exception>
    public static Problem? ReadRequest(ReadOnlyMemory<byte> entry, InferChoices choices)
    {
        var (name, value) = Read(entry, InferParameters.LongestLabels);
        var path = $"parameters.{name}";
        return (value.IsSet ? name : null) switch
        {
            InferParameters.Priority => InferParameters.SetPriority(value.Unsigned, path, choices),
            InferParameters.Timeout => InferParameters.SetTimeout(value.Unsigned, path, choices),
            InferParameters.BinaryDataOutput => SetBinaryOutputs(value.Boolean, path, choices),
            EmptyFinalResponse => value.Boolean is null ? NotBoolean(path) : null,
            InferParameters.ScoreThreshold => InferParameters.SetScoreThreshold(value.NumberText, path, choices),
            InferParameters.MaxDetections => InferParameters.SetMaxDetections(value.NumberText, path, choices),
            InferParameters.Labels => InferParameters.KeepLabels(value.Text, path, choices),
            InferProposals.TopN => InferProposals.SetTopN(value.NumberText, path, choices),
            InferProposals.NmsThreshold => InferProposals.SetNmsThreshold(value.NumberText, path, choices),
            var other => InferViews.Find(other) is { } view
                ? InferViews.Set(view, value.ScalarText, path, choices)
                : InferParameters.Refuse(other, path),
        };
    }

    /// <summary>Reads a parameter of an input.</summary>
    /// <param name="entry">Entry of the map.</param>
    /// <param name="path">Path of the map.</param>
    /// <returns>Null, or its problem.</returns>
    /// <exception cref="InvalidDataException">This is not an entry.</exception>
    public static Problem? ReadInput(ReadOnlyMemory<byte> entry, string path) =>
        InferParameters.CheckSharedMemory(Read(entry, LongestName).Name, path);

    /// <summary>Reads a parameter of an output.</summary>
    /// <param name="entry">Entry of the map.</param>
    /// <param name="path">Path of the map.</param>
    /// <returns>Null, or its problem.</returns>
    /// <exception cref="InvalidDataException">This is not an entry.</exception>
    public static Problem? ReadOutput(ReadOnlyMemory<byte> entry, string path)
    {
        var name = Read(entry, LongestName).Name;
        return InferParameters.CheckSharedMemory(name, path) ?? InferParameters.CheckClassification(name, path);
    }

    private static (string? Name, ParameterValue Value) Read(ReadOnlyMemory<byte> entry, int longestText)
    {
        var name = string.Empty;
        var value = default(ParameterValue);
        var reader = new WireReader(entry);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case KeyField:
                    name = reader.Text(LongestName);
                    break;
                case ValueField:
                    value = ParameterValue.Read(reader.Content(), longestText);
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return (name, value);
    }

    private static Problem? SetBinaryOutputs(bool? value, string path, InferChoices choices)
    {
        if (value is not { } binary)
        {
            return NotBoolean(path);
        }

        choices.BinaryOutputs = binary;
        return null;
    }

    private static Problem NotBoolean(string path) => Problem.BadParameter(path, "Must be true or false.");
}
