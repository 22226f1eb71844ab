using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.HuggingFace;

/// <summary>The task <c>object-detection</c> of Hugging Face's inference API, one address for each model.</summary>
internal sealed class HuggingFaceContract(ContractDoor door, ImageDecoder decoder) : IContract
{
    private const string Body = """{ "inputs": "/9j/4AAQSkZJRg…", "parameters": { "threshold": 0.5 } }""";

    private const string Answer = """
        [ { "label": "RBC", "score": 0.98761, "box": { "xmin": 84, "ymin": 363, "xmax": 197, "ymax": 480 } } ]
        """;

    /// <inheritdoc/>
    public string Name => "huggingface";

    /// <inheritdoc/>
    public string Title => "Hugging Face";

    /// <inheritdoc/>
    public string Description => "The same models for Hugging Face's inference clients.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost(
                "/hf/{model}",
                (HttpContext context, string model) =>
                    door.Take(model).UseAsync(use => DetectAsync(context, use.Lane)).ToResultAsync())
            .WithName("huggingFaceDetect")
            .WithSummary("Finds objects in an image")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("The image itself, or JSON with the image as base64 or its URL.", Body)
                {
                    AlsoImage = true,
                },
                new PathParameterNote("model", "Name of the model; case matters."),
                new ProblemsMetadata(ImageBodyReader.Empty(ImageBodyReader.PartName)))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);

    private async Task<Outcome<JsonAnswer>> DetectAsync(HttpContext context, ModelLane lane)
    {
        var filter = new DetectionFilter(lane.Model.Contract);
        var detection = context.Request.HasJsonContentType()
            ? door.ReadJsonAsync(context).UseAsync(body => DetectJsonAsync(context, lane, filter, body))
            : door.ReadImageAsync(context).UseAsync(body => DetectImageAsync(context, lane, filter, body));
        return (await detection).Succeeded(out var answer, out var problem)
            ? new JsonAnswer(json => Write(json, answer))
            : problem;
    }

    private async Task<Outcome<DetectionAnswer>> DetectImageAsync(
        HttpContext context, ModelLane lane, DetectionFilter filter, ImageBody body) =>
        (await door.DetectAsync(context, lane, filter, [body.Bytes])).Succeeded(out var answers, out var problem)
            ? answers[0]
            : problem;

    private async Task<Outcome<DetectionAnswer>> DetectJsonAsync(
        HttpContext context, ModelLane lane, DetectionFilter filter, ImageBody body)
    {
        var image = new OneImage("inputs");
        var problem = JsonBody.Read(body.Bytes.Span, (ref JsonObjectReader json, string? name) => name switch
        {
            "inputs" => image.Read(ref json),
            "parameters" => ReadParameters(ref json, filter),
            _ => JsonBody.Skip(ref json),
        });
        return problem is not null ? problem : await image.DetectAsync(door, context, lane, filter, body);
    }

    private static Problem? ReadParameters(ref JsonObjectReader json, DetectionFilter filter) => json.Token switch
    {
        JsonTokenType.Null => null,
        JsonTokenType.StartObject => JsonBody.ReadMembers(
            ref json,
            (ref JsonObjectReader value, string? name) => name == "threshold" && value.Token != JsonTokenType.Null
                ? filter.SetScoreThreshold(name, value.NumberText() ?? string.Empty)
                : JsonBody.Skip(ref value)),
        _ => Problem.BadParameter("parameters", "Must be an object."),
    };

    private static void Write(Utf8JsonWriter json, DetectionAnswer answer)
    {
        json.WriteStartArray();
        foreach (var detection in answer.Detections)
        {
            var box = PixelBox.Round(detection.Box);
            json.WriteStartObject();
            json.WriteString("label"u8, answer.Contract.Labels[detection.Label]);
            json.WriteNumber("score"u8, DetectionFilter.ReportedScore(detection));
            json.WriteStartObject("box"u8);
            json.WriteNumber("xmin"u8, box.X1);
            json.WriteNumber("ymin"u8, box.Y1);
            json.WriteNumber("xmax"u8, box.X2);
            json.WriteNumber("ymax"u8, box.Y2);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
