using System.Globalization;
using System.Text.Json;
using Fpn.Service.Answers;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Predict;

/// <summary>A request to predict, as TensorFlow Serving and KServe 1 define it.</summary>
internal sealed class PredictRequest
{
    private const string Base64Member = "b64";

    /// <summary>What Vertex AI's clients write beside an image; the image itself says what it is.</summary>
    private const string TypeMember = "mimeType";

    private PredictRequest()
    {
    }

    /// <summary>Whether the images came as <c>inputs</c>, and the answer is <c>outputs</c>.</summary>
    public bool IsColumnar { get; private set; }

    /// <summary>[N] places of the images in the body, N at least 1.</summary>
    public List<Base64Text> Images { get; } = [];

    /// <summary>The member that held the images.</summary>
    public string Member => IsColumnar ? "inputs" : "instances";

    /// <summary>Reads a request.</summary>
    /// <param name="json">The whole body.</param>
    /// <param name="filter">Takes the parameters that choose detections.</param>
    /// <param name="door">Has the limits.</param>
    /// <returns>The request, or its problem.</returns>
    /// <remarks>
    /// An image is a string, base64 or a URL, <c>{"b64": …}</c>, or an object whose one member is either, such as
    /// <c>{"image": {"b64": …}}</c>.
    /// </remarks>
    public static Outcome<PredictRequest> Read(ReadOnlySpan<byte> json, DetectionFilter filter, ContractDoor door)
    {
        var request = new PredictRequest();
        var problem = JsonBody.Read(json, (ref JsonObjectReader reader, string? name) => name switch
        {
            "instances" or "inputs" when request.Images.Count > 0 =>
                Problem.BadParameter(name, "The images are given twice."),
            "instances" => request.ReadList(ref reader, name, door),
            "inputs" => request.ReadColumn(ref reader, name, door),
            "parameters" => ReadParameters(ref reader, filter),
            _ => JsonBody.Skip(ref reader),
        });
        return problem is not null ? problem
            : request.Images.Count > 0 ? request
            : Problem.BadParameter("instances", "Is missing: a list with an image each, such as {\"b64\": \"…\"}.");
    }

    /// <summary>The name of an image in problems.</summary>
    public string PathFor(int index) => string.Create(CultureInfo.InvariantCulture, $"{Member}[{index}]");

    private Problem? ReadColumn(ref JsonObjectReader json, string path, ContractDoor door)
    {
        IsColumnar = true;
        if (json.Token == JsonTokenType.StartArray)
        {
            return ReadList(ref json, path, door);
        }

        if (json.Token != JsonTokenType.StartObject)
        {
            return ReadImage(ref json, path);
        }

        // One named input with a list of images, or one image.
        return JsonBody.ReadMembers(ref json, (ref JsonObjectReader inner, string? name) =>
            name == Base64Member || inner.Token != JsonTokenType.StartArray
                ? ReadImage(ref inner, path)
                : ReadList(ref inner, path, door));
    }

    private Problem? ReadList(ref JsonObjectReader json, string path, ContractDoor door) =>
        json.Token != JsonTokenType.StartArray
            ? Problem.BadParameter(path, "Must be an array.")
            : JsonBody.ReadElements(ref json, (ref JsonObjectReader element, int index) =>
                index == door.Limits.MaxBatchImages
                    ? door.TooManyImages(path)
                    : ReadImage(ref element, PathFor(index)));

    private Problem? ReadImage(ref JsonObjectReader json, string path)
    {
        switch (json.Token)
        {
            case JsonTokenType.String:
                Images.Add(json.Place);
                return null;
            case JsonTokenType.StartObject:
                var before = Images.Count;
                return JsonBody.ReadMembers(ref json, (ref JsonObjectReader member, string? name) =>
                        name == TypeMember ? JsonBody.Skip(ref member)
                        : Images.Count > before ? NotOne(path)
                        : ReadImage(ref member, path))
                    ?? (Images.Count == before ? NotOne(path) : null);
            default:
                return NotOne(path);
        }
    }

    private static Problem NotOne(string path) => Problem.BadParameter(
        path, "Must be one image as base64 or a URL: a string, {\"b64\": \"…\"} or {\"image\": {\"b64\": \"…\"}}.");

    private static Problem? ReadParameters(ref JsonObjectReader json, DetectionFilter filter)
    {
        if (json.Token == JsonTokenType.Null)
        {
            return null;
        }

        return json.Token != JsonTokenType.StartObject
            ? Problem.BadParameter("parameters", "Must be an object.")
            : JsonBody.ReadMembers(ref json, (ref JsonObjectReader value, string? name) => name switch
            {
                "scoreThreshold" or "confidenceThreshold" =>
                    filter.SetScoreThreshold(name, value.NumberText() ?? string.Empty),
                "maxDetections" or "maxPredictions" =>
                    filter.SetMaxDetections(name, value.NumberText() ?? string.Empty),
                _ => JsonBody.Skip(ref value),
            });
    }
}
