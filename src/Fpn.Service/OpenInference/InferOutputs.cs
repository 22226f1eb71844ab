using System.Text.Json;
using Fpn.Service.Json;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>Reads the <c>outputs</c> of a request.</summary>
internal static class InferOutputs
{
    private const int LongestName = 256;

    /// <summary>Reads the array.</summary>
    /// <param name="json">Positioned on the value of <c>outputs</c>; afterwards on its end.</param>
    /// <param name="wanted">
    /// Takes the outputs in their order; stays empty when the array is empty, which asks for those of detections.
    /// </param>
    /// <returns>Null, or their problem.</returns>
    public static Problem? Read(ref JsonObjectReader json, List<WantedOutput> wanted)
    {
        if (json.Token != JsonTokenType.StartArray)
        {
            return Problem.BadParameter("outputs", "Must be an array of outputs.");
        }

        for (json.Advance(); json.Token != JsonTokenType.EndArray; json.Advance())
        {
            var path = $"outputs[{wanted.Count}]";
            if (json.Token != JsonTokenType.StartObject)
            {
                return Problem.BadParameter(path, "Must be an object.");
            }

            if (ReadOne(ref json, path, wanted) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    private static Problem? ReadOne(ref JsonObjectReader json, string path, List<WantedOutput> wanted)
    {
        var seen = new SeenNames();
        OutputTensor? tensor = null;
        bool? isBinary = null;
        while (json.NextMember(out var name))
        {
            var problem = seen.Twice(name, $"{path}.{name}");
            switch (problem is null ? name : null)
            {
                case "parameters" when json.Token == JsonTokenType.Null:
                    break;
                case "name":
                    problem = Find($"{path}.name", json.Text(LongestName), out tensor);
                    break;
                case "parameters":
                    problem = InferParameters.ReadOutput(ref json, $"{path}.parameters", out isBinary);
                    break;
                default:
                    json.Skip();
                    break;
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return tensor is { } found
            ? Add(path, new WantedOutput(found, isBinary), wanted)
            : Problem.BadParameter(path, "'name' is missing.");
    }

    /// <summary>Adds an output that was not asked for before.</summary>
    /// <returns>Null, or the problem that it was.</returns>
    public static Problem? Add(string path, WantedOutput output, List<WantedOutput> wanted)
    {
        if (wanted.Exists(earlier => earlier.Tensor == output.Tensor))
        {
            return Problem.BadParameter(path, $"The output '{output.Tensor.Name()}' is asked for twice.");
        }

        wanted.Add(output);
        return null;
    }

    /// <summary>Finds an output by its name.</summary>
    /// <returns>Null, or the problem that there is no such output.</returns>
    public static Problem? Find(string path, string? name, out OutputTensor? tensor)
    {
        tensor = Tensors.FindOutput(name);
        return tensor is not null ? null
            : name is null ? Problem.BadParameter(path, "Must be the name of an output.")
            : Problem.BadParameter(
                path, $"There is no output '{name}'. Known: {Tensors.KnownNames}.");
    }
}

/// <summary>An output that is asked for.</summary>
/// <param name="Tensor">The output.</param>
/// <param name="IsBinary">Whether it is sent as binary; null for the default of the request.</param>
internal readonly record struct WantedOutput(OutputTensor Tensor, bool? IsBinary);
