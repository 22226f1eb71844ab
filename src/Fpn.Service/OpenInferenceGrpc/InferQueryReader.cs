using Fpn.Service.Answers;
using Fpn.Service.Engine;
using Fpn.Service.OpenInference;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Reads a <c>ModelInferRequest</c>; problems name the field that is wrong.</summary>
/// <remarks>
/// Memory does not grow with the message: images stay where they are, and as soon as there are more inputs, outputs or
/// elements than allowed, the rest is not read. Fields that the protocol does not name are ignored.
/// </remarks>
internal sealed class InferQueryReader(LimitsOptions limits)
{
    private const int LongestId = 1024;
    private const int LongestName = 256;
    private const string Raw = "raw_input_contents";
    private const string InputPath = "inputs[0]";

    private readonly List<ReadOnlyMemory<byte>> _elements = [];
    private ReadOnlyMemory<byte>? _raw;
    private bool _hasInput;
    private bool _hasContents;
    private int _count;

    /// <summary>Finds out who is asked, and passes over everything else.</summary>
    /// <param name="message">The whole message.</param>
    /// <returns>The fields; or the problem that the message is not one.</returns>
    public static Outcome<InferAddress> ReadAddress(ReadOnlyMemory<byte> message)
    {
        string? model = string.Empty, version = string.Empty, id = string.Empty;
        try
        {
            var reader = new WireReader(message);
            while (reader.Next())
            {
                switch (reader.Field)
                {
                    case ModelInferRequest.ModelNameFieldNumber:
                        model = reader.Text(LongestName);
                        break;
                    case ModelInferRequest.ModelVersionFieldNumber:
                        version = reader.Text(LongestName);
                        break;
                    case ModelInferRequest.IdFieldNumber:
                        id = reader.Text(LongestId);
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }
        }
        catch (InvalidDataException exception)
        {
            return Broken(exception);
        }

        return model is null ? TooLong("model_name", LongestName)
            : version is null ? TooLong("model_version", LongestName)
            : id is null ? TooLong("id", LongestId)
            : new InferAddress(model, version.Length == 0 ? null : version, id);
    }

    /// <summary>Reads a request.</summary>
    /// <param name="message">The whole message.</param>
    /// <param name="filter">Takes the parameters that choose detections.</param>
    /// <param name="limits">The limits of images.</param>
    /// <returns>The request, whose images are parts of the message; or its problem.</returns>
    public static Outcome<InferQuery> Read(ReadOnlyMemory<byte> message, DetectionFilter filter, LimitsOptions limits)
    {
        try
        {
            var query = new InferQuery(filter);
            return new InferQueryReader(limits).ReadRequest(message, query) is { } problem ? problem : query;
        }
        catch (InvalidDataException exception)
        {
            return Broken(exception);
        }
    }

    private static Problem Broken(InvalidDataException exception) =>
        Problem.BadRequest($"The message is not a valid ModelInferRequest: {exception.Message}.");

    private static Problem TooLong(string field, int longest) =>
        Problem.BadParameter(field, $"Must be a string of at most {longest} bytes.");

    private Problem? ReadRequest(ReadOnlyMemory<byte> message, InferQuery query)
    {
        var reader = new WireReader(message);
        while (reader.Next())
        {
            Problem? problem = null;
            switch (reader.Field)
            {
                case ModelInferRequest.ParametersFieldNumber:
                    problem = CallParameters.ReadRequest(reader.Content(), query.Choices);
                    break;
                case ModelInferRequest.InputsFieldNumber:
                    problem = ReadInput(reader.Content());
                    break;
                case ModelInferRequest.OutputsFieldNumber:
                    problem = ReadOutput(reader.Content(), query.Outputs);
                    break;
                case ModelInferRequest.RawInputContentsFieldNumber when _raw is not null:
                    problem = Problem.BadParameter(Raw, "Has more than one entry; there is one input.");
                    break;
                case ModelInferRequest.RawInputContentsFieldNumber:
                    _raw = reader.Content();
                    break;
                default:
                    reader.Skip();
                    break;
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        return InferProposals.Check(query.Outputs, query.Choices)
            ?? (_hasInput ? FindImages(query) : InferRequestReader.NoInput());
    }

    private Problem? FindImages(InferQuery query)
    {
        if (_raw is { } raw)
        {
            if (_hasContents)
            {
                return Problem.BadParameter(InputPath, $"'contents' and '{Raw}' exclude each other.");
            }

            var split = ImageTensor.SplitBinary(raw, _count, limits);
            query.Images = split.Succeeded(out var images, out var problem) ? images : [];
            return problem;
        }

        if (!_hasContents)
        {
            return Problem.BadParameter(InputPath, $"Neither 'contents' nor '{Raw}' is there.");
        }

        if (_elements.Count != _count)
        {
            return InferRequestReader.WrongCount($"{InputPath}.contents", _elements.Count, _count);
        }

        query.Images = [.. _elements];
        return query.Images
            .Select((image, i) => ImageTensor.Check(image, i, limits))
            .FirstOrDefault(wrong => wrong is not null);
    }

    private Problem? ReadInput(ReadOnlyMemory<byte> message)
    {
        string? name = string.Empty, datatype = string.Empty;
        var dimensions = 0;
        var count = 0UL;
        Problem? problem = null;
        var reader = new WireReader(message);
        while (problem is null && reader.Next())
        {
            switch (reader.Field)
            {
                case ModelInferRequest.Types.InferInputTensor.NameFieldNumber:
                    name = reader.Text(LongestName);
                    break;
                case ModelInferRequest.Types.InferInputTensor.DatatypeFieldNumber:
                    datatype = reader.Text(LongestName);
                    break;
                case ModelInferRequest.Types.InferInputTensor.ShapeFieldNumber:
                    ReadShape(ref reader, ref dimensions, ref count);
                    break;
                case ModelInferRequest.Types.InferInputTensor.ParametersFieldNumber:
                    problem = CallParameters.ReadInput(reader.Content(), $"{InputPath}.parameters");
                    break;
                case ModelInferRequest.Types.InferInputTensor.ContentsFieldNumber:
                    problem = ReadContents(reader.Content());
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        problem = InferRequestReader.CheckName($"{(_hasInput ? "inputs[1]" : InputPath)}.name", name, !_hasInput)
            ?? problem
            ?? (datatype != Tensors.InputDatatype ? InferRequestReader.WrongDatatype($"{InputPath}.datatype") : null)
            ?? (dimensions != 1 ? InferRequestReader.WrongShape($"{InputPath}.shape") : null)
            ?? InferRequestReader.CheckCount($"{InputPath}.shape", count, limits.MaxBatchImages);
        (_hasInput, _count) = (true, (int)Math.Min(count, int.MaxValue));
        return problem;
    }

    /// <summary>Reads numbers of the shape, packed or one by one; negative ones are very large.</summary>
    private static void ReadShape(ref WireReader reader, ref int dimensions, ref ulong count)
    {
        if (!reader.HasContent)
        {
            (count, dimensions) = (reader.Number(), dimensions + 1);
            return;
        }

        var packed = new WireReader(reader.Content());
        while (packed.HasMore)
        {
            (count, dimensions) = (packed.Packed(), dimensions + 1);
        }
    }

    private Problem? ReadContents(ReadOnlyMemory<byte> message)
    {
        _hasContents = true;
        var reader = new WireReader(message);
        while (reader.Next())
        {
            if (reader.Field is < InferTensorContents.BytesContentsFieldNumber)
            {
                return Problem.BadParameter(
                    $"{InputPath}.contents", $"The input '{Tensors.Input}' has bytes_contents: an encoded image each.");
            }

            if (reader.Field != InferTensorContents.BytesContentsFieldNumber)
            {
                reader.Skip();
                continue;
            }

            if (_elements.Count == limits.MaxBatchImages)
            {
                return InferRequestReader.TooManyElements($"{InputPath}.contents", limits.MaxBatchImages);
            }

            _elements.Add(reader.Content());
        }

        return null;
    }

    private static Problem? ReadOutput(ReadOnlyMemory<byte> message, List<WantedOutput> wanted)
    {
        var path = $"outputs[{wanted.Count}]";
        var name = string.Empty;
        Problem? problem = null;
        var reader = new WireReader(message);
        while (problem is null && reader.Next())
        {
            switch (reader.Field)
            {
                case ModelInferRequest.Types.InferRequestedOutputTensor.NameFieldNumber:
                    name = reader.Text(LongestName);
                    break;
                case ModelInferRequest.Types.InferRequestedOutputTensor.ParametersFieldNumber:
                    problem = CallParameters.ReadOutput(reader.Content(), $"{path}.parameters");
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        return InferOutputs.Find($"{path}.name", name, out var tensor)
            ?? problem
            ?? InferOutputs.Add(path, new WantedOutput(tensor!.Value, IsBinary: null), wanted);
    }
}
