using System.Text.Json;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>Reads the <c>outputs</c> of a request.</summary>
internal static class InferOutputs
{
    private const int LongestName = 256;

    /// <summary>Reads the array.</summary>
    /// <param name="json">Positioned on the value of <c>outputs</c>; afterwards on its end.</param>
    /// <param name="wanted">
    /// Takes the outputs in their order; stays empty when the array is empty, which asks for all.
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
                    problem = ReadName(json, $"{path}.name", out tensor);
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

        if (tensor is not { } found)
        {
            return Problem.BadParameter(path, "'name' is missing.");
        }

        if (wanted.Exists(output => output.Tensor == found))
        {
            return Problem.BadParameter(path, $"The output '{found.Name()}' is asked for twice.");
        }

        wanted.Add(new WantedOutput(found, isBinary));
        return null;
    }

    private static Problem? ReadName(JsonObjectReader json, string path, out OutputTensor? tensor)
    {
        var name = json.Text(LongestName);
        tensor = Tensors.FindOutput(name);
        return tensor is not null ? null
            : name is null ? Problem.BadParameter(path, "Must be the name of an output.")
            : Problem.BadParameter(
                path, $"There is no output '{name}'. Known: {string.Join(", ", Tensors.All.Select(Tensors.Name))}.");
    }
}

/// <summary>An output that is asked for.</summary>
/// <param name="Tensor">The output.</param>
/// <param name="IsBinary">Whether it is sent as binary; null for the default of the request.</param>
internal readonly record struct WantedOutput(OutputTensor Tensor, bool? IsBinary);
