using System.Text.Json;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.OpenInference;

/// <summary>Reads the three kinds of <c>parameters</c>: of a request, of an input, of an output.</summary>
/// <remarks>
/// The protocol leaves parameters to servers, so that clients send some that only other servers know: unknown ones are
/// ignored. Those that are null count as absent. Those that would change the answer on other servers and cannot be
/// honored here are refused.
/// </remarks>
internal static class InferParameters
{
    /// <summary>Request: 0 for the default, 1 for the highest; larger is less urgent.</summary>
    public const string Priority = "priority";

    /// <summary>Request: microseconds; 0 for the default.</summary>
    public const string Timeout = "timeout";

    /// <summary>Request: whether outputs are binary unless they say otherwise.</summary>
    public const string BinaryDataOutput = "binary_data_output";

    /// <summary>Input: bytes of it after the JSON.</summary>
    public const string BinaryDataSize = "binary_data_size";

    /// <summary>Output: whether it is binary.</summary>
    public const string BinaryData = "binary_data";

    /// <summary>Request, of this service: as in the query of <c>/detect</c>; with outputs of proposals as in that of
    /// <c>/proposals</c>.</summary>
    public const string ScoreThreshold = "score_threshold";

    /// <summary>Request, of this service: as in the query of <c>/detect</c>.</summary>
    public const string MaxDetections = "max_detections";

    /// <summary>Request, of this service: as in the query of <c>/detect</c>.</summary>
    public const string Labels = "labels";

    /// <summary>The longest list of labels, in characters.</summary>
    public const int LongestLabels = 64 << 10;

    /// <summary>Reads the parameters of a request.</summary>
    /// <param name="json">Positioned on the value of <c>parameters</c>; afterwards on its end.</param>
    /// <param name="choices">Takes the parameters.</param>
    /// <returns>Null, or their problem.</returns>
    public static Problem? ReadRequest(ref JsonObjectReader json, InferChoices choices)
    {
        if (json.Token != JsonTokenType.StartObject)
        {
            return NotAnObject("parameters");
        }

        var seen = new SeenNames();
        while (json.NextMember(out var name))
        {
            var path = $"parameters.{name}";
            var problem = seen.Twice(name, path) ?? (json.Token == JsonTokenType.Null ? null : name) switch
            {
                Priority => SetPriority(json.Unsigned(), path, choices),
                Timeout => SetTimeout(json.Unsigned(), path, choices),
                BinaryDataOutput => SetBinaryOutputs(json, path, choices),
                ScoreThreshold => SetScoreThreshold(json.NumberText(), path, choices),
                MaxDetections => SetMaxDetections(json.NumberText(), path, choices),
                Labels => KeepLabels(json.Text(LongestLabels), path, choices),
                InferProposals.TopN => InferProposals.SetTopN(json.NumberText(), path, choices),
                InferProposals.NmsThreshold => InferProposals.SetNmsThreshold(json.NumberText(), path, choices),
                { } when InferViews.Find(name) is { } view => InferViews.Set(view, json, path, choices),
                _ => Refuse(name, path) ?? SkipScalar(json, path),
            };
            if (problem is not null)
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>Reads the parameters of an input.</summary>
    /// <param name="json">Positioned on the value of <c>parameters</c>; afterwards on its end.</param>
    /// <param name="path">Their name in messages.</param>
    /// <param name="request">Takes the size of the binary data.</param>
    /// <returns>Null, or their problem.</returns>
    public static Problem? ReadInput(ref JsonObjectReader json, string path, InferRequest request)
    {
        if (json.Token != JsonTokenType.StartObject)
        {
            return NotAnObject(path);
        }

        var seen = new SeenNames();
        while (json.NextMember(out var name))
        {
            if (json.Token == JsonTokenType.Null)
            {
                continue;
            }

            var problem = seen.Twice(name, $"{path}.{name}") ?? CheckSharedMemory(name, path);
            if (problem is null && name == BinaryDataSize)
            {
                var size = json.Unsigned();
                request.BinarySize = size <= long.MaxValue ? (long)size : null;
                problem = request.BinarySize is null
                    ? Problem.BadParameter($"{path}.{name}", "Must be a whole number of bytes.")
                    : null;
            }

            if ((problem ?? SkipScalar(json, $"{path}.{name}")) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    /// <summary>Reads the parameters of an output.</summary>
    /// <param name="json">Positioned on the value of <c>parameters</c>; afterwards on its end.</param>
    /// <param name="path">Their name in messages.</param>
    /// <param name="isBinary">The value of <see cref="BinaryData"/>; null when it is absent.</param>
    /// <returns>Null, or their problem.</returns>
    public static Problem? ReadOutput(ref JsonObjectReader json, string path, out bool? isBinary)
    {
        isBinary = null;
        if (json.Token != JsonTokenType.StartObject)
        {
            return NotAnObject(path);
        }

        var seen = new SeenNames();
        while (json.NextMember(out var name))
        {
            if (json.Token == JsonTokenType.Null)
            {
                continue;
            }

            var problem = seen.Twice(name, $"{path}.{name}") ?? CheckSharedMemory(name, path);
            if (problem is null && name == BinaryData)
            {
                isBinary = json.Boolean();
                problem = isBinary is null ? Problem.BadParameter($"{path}.{name}", "Must be true or false.") : null;
            }
            else
            {
                problem ??= CheckClassification(name, path);
            }

            if ((problem ?? SkipScalar(json, $"{path}.{name}")) is { } found)
            {
                return found;
            }
        }

        return null;
    }

    private static Problem NotAnObject(string path) =>
        Problem.BadParameter(path, "Must be an object of names and values.");

    /// <summary>Sets the priority.</summary>
    /// <param name="number">The parameter's value; null when it is not a whole number.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? SetPriority(ulong? number, string path, InferChoices choices)
    {
        if (number is not { } level)
        {
            return Problem.BadParameter(
                path, "Must be a whole number: 1 high, 2 normal, 3 and more low; 0 leaves the default.");
        }

        choices.Priority = level switch
        {
            0 => null,
            1 => RequestPriority.High,
            2 => RequestPriority.Normal,
            _ => RequestPriority.Low,
        };
        return null;
    }

    /// <summary>Sets the deadline.</summary>
    /// <param name="number">The parameter's value; null when it is not a whole number.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? SetTimeout(ulong? number, string path, InferChoices choices)
    {
        if (number is not { } microseconds)
        {
            return Problem.BadParameter(
                path, "Must be a whole number of microseconds; 0 leaves the service's own deadline.");
        }

        // A day is longer than any deadline that can be configured, so that longer times make no difference.
        choices.Timeout = microseconds == 0
            ? null
            : TimeSpan.FromMicroseconds(Math.Min(microseconds, 86_400_000_000UL));
        return null;
    }

    /// <summary>Sets the threshold of scores.</summary>
    /// <param name="number">The parameter's value as text; null when it is not a number.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes it.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? SetScoreThreshold(string? number, string path, InferChoices choices) => number is null
        ? Problem.BadParameter(path, "Must be a number from 0 to 1.")
        : choices.Filter.SetScoreThreshold(path, number) ?? choices.Proposals.SetScoreThreshold(path, number);

    /// <summary>Sets how many detections are kept.</summary>
    /// <inheritdoc cref="SetScoreThreshold"/>
    public static Problem? SetMaxDetections(string? number, string path, InferChoices choices)
    {
        choices.ForDetections ??= path;
        return number is null
            ? Problem.BadParameter(path, "Must be a whole number of at least 1.")
            : choices.Filter.SetMaxDetections(path, number);
    }

    /// <summary>Keeps some labels.</summary>
    /// <param name="labels">The parameter's value; null when it is not a string, or too long.</param>
    /// <param name="path">Its name in messages.</param>
    /// <param name="choices">Takes them.</param>
    /// <returns>Null, or their problem.</returns>
    public static Problem? KeepLabels(string? labels, string path, InferChoices choices)
    {
        choices.ForDetections ??= path;
        return labels is null
            ? Problem.BadParameter(path, "Must be a string: names, separated by commas.")
            : choices.Filter.KeepLabels(path, labels);
    }

    /// <summary>Refuses a parameter of a request that other servers honor and this one cannot.</summary>
    /// <returns>Null, or the problem.</returns>
    public static Problem? Refuse(string? name, string path) => name switch
    {
        "sequence_id" or "sequence_start" or "sequence_end" =>
            Problem.BadParameter(path, "Sequences are not supported: the models keep no state."),
        _ when name?.StartsWith("triton_", StringComparison.Ordinal) is true =>
            Problem.BadParameter(path, "Names that begin with 'triton_' are reserved."),
        _ => null,
    };

    /// <summary>Refuses a parameter of an output that asks for classes.</summary>
    /// <returns>Null, or the problem.</returns>
    public static Problem? CheckClassification(string? name, string path) => name == "classification"
        ? Problem.BadParameter(
            $"{path}.{name}", "Classification is not supported: outputs are detections, not scores of classes.")
        : null;

    private static Problem? SetBinaryOutputs(JsonObjectReader json, string path, InferChoices choices)
    {
        if (json.Boolean() is not { } value)
        {
            return Problem.BadParameter(path, "Must be true or false.");
        }

        choices.BinaryOutputs = value;
        return null;
    }

    /// <summary>Refuses a parameter of an input or output that asks for shared memory.</summary>
    /// <returns>Null, or the problem.</returns>
    public static Problem? CheckSharedMemory(string? name, string path) =>
        name is "shared_memory_region" or "shared_memory_offset" or "shared_memory_byte_size"
            ? Problem.BadParameter($"{path}.{name}", "Shared memory is not supported: send the data in the body.")
            : null;

    private static Problem? SkipScalar(JsonObjectReader json, string path) =>
        json.Token is JsonTokenType.String
            or JsonTokenType.Number
            or JsonTokenType.True
            or JsonTokenType.False
            or JsonTokenType.Null
            ? null
            : Problem.BadParameter(path, "Must be a string, a number or a boolean.");
}
