using System.Text.Json;
using System.Text.Unicode;
using Fpn.Service.Answers;
using Fpn.Service.Json;
using Fpn.Service.OpenInference.Outputs;
using Fpn.Service.Problems;

namespace Fpn.Service.OpenInference;

/// <summary>Reads the JSON of an inference request; problems name the member that is wrong.</summary>
/// <remarks>
/// Memory does not grow with the text: names and ids are bounded, base64 stays where it is, and as soon as there are
/// more elements, inputs or outputs than allowed, the rest is not read. Members that the protocol does not name
/// are ignored, as are parameters that it leaves to servers.
/// </remarks>
internal ref struct InferRequestReader
{
    private const int LongestId = 1024;
    private const int LongestName = 256;
    private const int DeepestData = 8;

    private readonly int _mostImages;
    private readonly InferRequest _request;
    private JsonObjectReader _json;

    private InferRequestReader(ReadOnlySpan<byte> json, DetectionFilter filter, int mostImages)
    {
        _json = new JsonObjectReader(json);
        _request = new InferRequest { Choices = new InferChoices(filter) };
        _mostImages = mostImages;
    }

    /// <summary>Reads a request.</summary>
    /// <param name="json">The JSON, and nothing else.</param>
    /// <param name="filter">Takes the parameters that choose detections.</param>
    /// <param name="mostImages">The largest N.</param>
    /// <returns>The request, checked except for the bytes after the JSON; or its problem.</returns>
    public static Outcome<InferRequest> Read(ReadOnlySpan<byte> json, DetectionFilter filter, int mostImages)
    {
        if (!Utf8.IsValid(json))
        {
            return JsonBody.NotUtf8();
        }

        try
        {
            var reader = new InferRequestReader(json, filter, mostImages);
            return reader.ReadRequest() is { } problem ? problem : reader._request;
        }
        catch (JsonException exception)
        {
            return Problem.BadRequest($"The request is not valid JSON: {exception.Message}");
        }
    }

    /// <summary>The problem of an input with another datatype, such as images that are sent as numbers.</summary>
    /// <param name="path">Path of the datatype.</param>
    public static Problem WrongDatatype(string path) =>
        Problem.BadParameter(path, $"The input '{Tensors.Input}' has the datatype {Tensors.InputDatatype}.");

    private Problem? ReadRequest()
    {
        _json.Advance();
        if (_json.Token != JsonTokenType.StartObject)
        {
            return Problem.BadRequest("The request must be a JSON object.");
        }

        var seen = new SeenNames();
        var wanted = new List<WantedOutput>();
        while (_json.NextMember(out var name))
        {
            // Some clients write null for members that they leave empty.
            var problem = seen.Twice(name, name) ?? (_json.Token == JsonTokenType.Null ? null : name) switch
            {
                "id" => ReadId(),
                "parameters" => InferParameters.ReadRequest(ref _json, _request.Choices),
                "inputs" => ReadInputs(),
                "outputs" => InferOutputs.Read(ref _json, wanted),
                _ => Skip(),
            };
            if (problem is not null)
            {
                return problem;
            }
        }

        _json.ExpectEnd();
        var binary = _request.Choices.BinaryOutputs;
        _request.Outputs = wanted.Count == 0
            ? [.. Tensors.OfDetections.Select(tensor => new RequestedOutput(tensor, binary))]
            : [.. wanted.Select(output => new RequestedOutput(output.Tensor, output.IsBinary ?? binary))];
        return InferProposals.Check(wanted, _request.Choices) ?? (_request.Count == 0 ? NoInput() : null);
    }

    private Problem? Skip()
    {
        _json.Skip();
        return null;
    }

    private Problem? ReadId()
    {
        _request.Id = _json.Text(LongestId);
        return _request.Id is null
            ? Problem.BadParameter("id", $"Must be a string of at most {LongestId} characters.")
            : null;
    }

    private Problem? ReadInputs()
    {
        if (_json.Token != JsonTokenType.StartArray)
        {
            return Problem.BadParameter("inputs", "Must be an array of tensors.");
        }

        var count = 0;
        for (_json.Advance(); _json.Token != JsonTokenType.EndArray; _json.Advance())
        {
            if (_json.Token != JsonTokenType.StartObject)
            {
                return Problem.BadParameter($"inputs[{count}]", "Must be an object.");
            }

            if (ReadInput($"inputs[{count}]", isFirst: count == 0) is { } problem)
            {
                return problem;
            }

            count++;
        }

        return null;
    }

    private Problem? ReadInput(string path, bool isFirst)
    {
        var seen = new SeenNames();
        var (named, typed, shaped, hasData) = (false, false, false, false);
        while (_json.NextMember(out var name))
        {
            var problem = seen.Twice(name, $"{path}.{name}");
            switch (problem is null ? name : null)
            {
                case "parameters" when _json.Token == JsonTokenType.Null:
                    break;
                case "name":
                    (named, problem) = (true, CheckName($"{path}.name", _json.Text(LongestName), isFirst));
                    break;
                case "datatype":
                    (typed, problem) = (true, CheckDatatype($"{path}.datatype"));
                    break;
                case "shape":
                    (shaped, problem) = (true, ReadShape($"{path}.shape"));
                    break;
                case "parameters":
                    problem = InferParameters.ReadInput(ref _json, $"{path}.parameters", _request);
                    break;
                case "data":
                    (hasData, problem) = (true, ReadData($"{path}.data"));
                    break;
                default:
                    _json.Skip();
                    break;
            }

            if (problem is not null)
            {
                return problem;
            }
        }

        if (!named || !typed || !shaped)
        {
            return Problem.BadParameter(path, $"'{(!named ? "name" : !typed ? "datatype" : "shape")}' is missing.");
        }

        if (hasData == _request.BinarySize.HasValue)
        {
            return Problem.BadParameter(
                path,
                hasData
                    ? "'data' and 'binary_data_size' exclude each other."
                    : "Neither 'data' nor the parameter 'binary_data_size' is there.");
        }

        return hasData && _request.Data.Count != _request.Count
            ? WrongCount($"{path}.data", _request.Data.Count, _request.Count)
            : null;
    }

    /// <summary>Checks the name of an input.</summary>
    /// <param name="path">Path of the name.</param>
    /// <param name="name">The name; null for something that cannot be one.</param>
    /// <param name="isFirst">Whether it is the request's first input.</param>
    /// <returns>Null, or the problem.</returns>
    public static Problem? CheckName(string path, string? name, bool isFirst) => name switch
    {
        null => Problem.BadParameter(path, "Must be the name of an input."),
        not Tensors.Input =>
            Problem.BadParameter(path, $"There is no input '{name}'. The one input is '{Tensors.Input}'."),
        _ => isFirst ? null : Problem.BadParameter(path, $"The input '{Tensors.Input}' is given twice."),
    };

    /// <summary>The problem of a shape that is not one number.</summary>
    public static Problem WrongShape(string path) =>
        Problem.BadParameter(path, "Must be [N]: one dimension, the number of images.");

    /// <summary>Checks N.</summary>
    /// <returns>Null, or the problem.</returns>
    public static Problem? CheckCount(string path, ulong count, int mostImages) =>
        count == 0 || count > (ulong)mostImages
            ? Problem.BadParameter(path, $"{count} images; 1 to {mostImages} are served in a request.")
            : null;

    /// <summary>The problem of more elements than allowed.</summary>
    public static Problem TooManyElements(string path, int mostImages) => Problem.BadParameter(
        path, $"Has more than {mostImages} elements, the most that are served in a request.");

    /// <summary>The problem of data that does not have N elements.</summary>
    public static Problem WrongCount(string path, int elements, int count) =>
        Problem.BadParameter(path, $"Has {elements} elements, but the shape says {count}.");

    /// <summary>The problem of a request without its input.</summary>
    public static Problem NoInput() => Problem.BadParameter("inputs", $"The input '{Tensors.Input}' is missing.");

    private readonly Problem? CheckDatatype(string path) => _json.Text(LongestName) is not Tensors.InputDatatype
        ? WrongDatatype(path)
        : null;

    private Problem? ReadShape(string path)
    {
        var wrong = WrongShape(path);
        if (_json.Token != JsonTokenType.StartArray)
        {
            return wrong;
        }

        _json.Advance();
        if (_json.Unsigned() is not { } count)
        {
            return wrong;
        }

        _json.Advance();
        if (_json.Token != JsonTokenType.EndArray)
        {
            return wrong;
        }

        if (CheckCount(path, count, _mostImages) is { } problem)
        {
            return problem;
        }

        _request.Count = (int)count;
        return null;
    }

    /// <summary>Reads <c>data</c>, flat or nested: the elements come row-major either way.</summary>
    private Problem? ReadData(string path)
    {
        if (_json.Token != JsonTokenType.StartArray)
        {
            return Problem.BadParameter(path, "Must be an array.");
        }

        var leafDepth = 0;
        for (var depth = 1; depth > 0;)
        {
            _json.Advance();
            switch (_json.Token)
            {
                case JsonTokenType.StartArray when depth == DeepestData:
                    return Problem.BadParameter(path, $"Is nested deeper than {DeepestData} arrays.");
                case JsonTokenType.StartArray:
                    depth++;
                    break;
                case JsonTokenType.EndArray:
                    depth--;
                    break;
                case JsonTokenType.String when leafDepth != 0 && leafDepth != depth:
                    return Problem.BadParameter(path, "Is ragged: all elements must be nested alike.");
                case JsonTokenType.String when _request.Data.Count == _mostImages:
                    return TooManyElements(path, _mostImages);
                case JsonTokenType.String:
                    leafDepth = depth;
                    _request.Data.Add(_json.Place);
                    break;
                default:
                    return Problem.BadParameter(path, "Elements must be strings: encoded images in base64.");
            }
        }

        return null;
    }
}
