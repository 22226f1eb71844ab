using System.Globalization;
using System.Text.Json;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.Problems;

namespace Fpn.Service.Compatibility.Roboflow;

/// <summary>A request of <c>inference_sdk</c> to detect, or to add a model.</summary>
internal sealed class RoboflowRequest
{
    private const int LongestText = 512;
    private const int MostClasses = 1024;

    private RoboflowRequest()
    {
    }

    /// <summary>Name of the model, and its version after a slash; null when none was given.</summary>
    public string? ModelId { get; private set; }

    /// <summary>The key; null when the body holds none.</summary>
    public string? Key { get; private set; }

    /// <summary>[N] places of the images in the body: base64 or URLs.</summary>
    public List<Base64Text> Images { get; } = [];

    /// <summary>Whether the images came as a list, which the answer then is as well.</summary>
    public bool IsList { get; private set; }

    /// <summary>The lowest score, as it is written; null for the model's own.</summary>
    public string? Confidence { get; private set; }

    /// <summary>The most detections, as it is written; null for all.</summary>
    public string? MaxDetections { get; private set; }

    /// <summary>The labels to keep; null for all.</summary>
    public List<string>? Classes { get; private set; }

    /// <summary>Whether the answer holds the picture with its boxes.</summary>
    public bool Visualize { get; private set; }

    /// <summary>Reads a request.</summary>
    /// <param name="json">The whole body.</param>
    /// <param name="door">Has the limits.</param>
    /// <returns>The request, or its problem.</returns>
    public static Outcome<RoboflowRequest> Read(ReadOnlySpan<byte> json, ContractDoor door)
    {
        var request = new RoboflowRequest();
        var problem = JsonBody.Read(
            json, (ref JsonObjectReader reader, string? name) => request.ReadMember(ref reader, name, door));
        return problem is null ? request : problem;
    }

    /// <summary>The name of an image in problems.</summary>
    public string PathFor(int index) =>
        IsList ? string.Create(CultureInfo.InvariantCulture, $"image[{index}]") : "image";

    private Problem? ReadMember(ref JsonObjectReader json, string? name, ContractDoor door)
    {
        // The SDK writes null for what is not set.
        switch (json.Token == JsonTokenType.Null ? null : name)
        {
            case "model_id":
                ModelId = json.Text(LongestText);
                return ModelId is null ? Problem.BadParameter(name!, "Must be the id of a model.") : null;
            case "api_key":
                Key = json.Text(LongestText);
                return Key is null ? Problem.BadParameter(name!, "Must be a key.") : null;
            case "image":
                return ReadImages(ref json, door);
            case "confidence":
                Confidence = json.NumberText() ?? string.Empty;
                break;
            case "max_detections":
                MaxDetections = json.NumberText() ?? string.Empty;
                break;
            case "visualize_predictions":
                Visualize = json.Boolean() ?? false;
                break;
            case "class_filter":
                return ReadClasses(ref json);
        }

        json.Skip();
        return null;
    }

    private Problem? ReadImages(ref JsonObjectReader json, ContractDoor door)
    {
        Images.Clear();
        IsList = json.Token == JsonTokenType.StartArray;
        return !IsList
            ? ReadImage(ref json)
            : JsonBody.ReadElements(ref json, (ref JsonObjectReader element, int index) =>
                index == door.Limits.MaxBatchImages ? door.TooManyImages("image") : ReadImage(ref element));
    }

    private Problem? ReadImage(ref JsonObjectReader json)
    {
        var path = PathFor(Images.Count);
        var wrong = Problem.BadParameter(path, "Must be {\"type\": \"base64\" or \"url\", \"value\": \"…\"}.");
        if (json.Token != JsonTokenType.StartObject)
        {
            return wrong;
        }

        Base64Text? value = null;
        var problem = JsonBody.ReadMembers(ref json, (ref JsonObjectReader member, string? name) =>
        {
            if (name == "value" && member.IsText)
            {
                value = member.Place;
            }
            else if (name == "type" && member.Text(LongestText) is not ("base64" or "url"))
            {
                // Unpickling runs whatever code the sender put in.
                return Problem.BadParameter(
                    path, "Must have the type base64 or url; numpy, which is a pickle, is not served.");
            }

            member.Skip();
            return null;
        });
        if (problem is null && value is { } place)
        {
            Images.Add(place);
            return null;
        }

        return problem ?? wrong;
    }

    private Problem? ReadClasses(ref JsonObjectReader json)
    {
        var wrong = Problem.BadParameter("class_filter", "Must be a list of labels.");
        if (json.Token != JsonTokenType.StartArray)
        {
            return wrong;
        }

        var classes = Classes = [];
        return JsonBody.ReadElements(ref json, (ref JsonObjectReader element, int index) =>
        {
            if (index == MostClasses || element.Text(LongestText) is not { } label)
            {
                return wrong;
            }

            classes.Add(label);
            return null;
        });
    }
}
