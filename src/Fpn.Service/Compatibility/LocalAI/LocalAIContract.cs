using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Json;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.LocalAI;

/// <summary>LocalAI's object detection: <c>POST /v1/detection</c>.</summary>
internal sealed class LocalAIContract(ContractDoor door, ImageDecoder decoder) : IContract
{
    private const int LongestName = 256;

    private const string Body = """{ "model": "everyday", "image": "/9j/4AAQSkZJRg…", "threshold": 0.5 }""";

    private const string Answer = """
        {
          "detections": [
            { "x": 84.003, "y": 363.12, "width": 113.5, "height": 116.88, "confidence": 0.98761, "class_name": "dog" }
          ]
        }
        """;

    /// <inheritdoc/>
    public string Name => "localai";

    /// <inheritdoc/>
    public string Title => "LocalAI";

    /// <inheritdoc/>
    public string Description => "Detection for clients of LocalAI.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => new()
    {
        ["error"] = new JsonObject
        {
            ["code"] = problem.Status,
            ["message"] = ErrorResponse.TextFor(problem, traceId),
            ["type"] = problem.Type,
        },
    };

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes) => routes
        .MapJsonPost(
            "/v1/detection",
            context => door.ReadJsonAsync(context).UseAsync(body => DetectAsync(context, body)))
        .WithName("localaiDetect")
        .WithSummary("Finds objects in an image")
        .WithDescription("The image is base64, a data URL or, where its host is listed, a URL.")
        .WithMetadata(
            new AnswerExample("application/json", Answer),
            new BodyExample("Without a model, the default one answers.", Body))
        .WithDetectionProblems(decoder)
        .RequireScope(KeyScope.Detect);

    private async Task<Outcome<JsonAnswer>> DetectAsync(HttpContext context, ImageBody body)
    {
        (string? Model, string? Threshold, Base64Text? Image) wanted = default;
        var wrong = JsonBody.Read(body.Bytes.Span, (ref JsonObjectReader json, string? name) =>
        {
            switch (name)
            {
                case "model":
                    wanted.Model = json.Text(LongestName);
                    return wanted.Model is null ? Problem.BadParameter(name, "Must be the name of a model.") : null;
                case "image":
                    wanted.Image = json.IsText ? json.Place : null;
                    json.Skip();
                    return null;
                case "threshold":
                    wanted.Threshold = json.NumberText() ?? string.Empty;
                    json.Skip();
                    return null;
                default:
                    json.Skip();
                    return null;
            }
        });
        if (wrong is not null)
        {
            return wrong;
        }

        if (wanted.Image is not { } image)
        {
            return Problem.BadParameter("image", "Must be an image: base64, a data URL or a URL.");
        }

        return await door.Take(wanted.Model is { Length: > 0 } model ? model : null).UseAsync(
            use => DetectAsync(context, use.Lane, wanted.Threshold, body, image));
    }

    private async Task<Outcome<JsonAnswer>> DetectAsync(
        HttpContext context, ModelLane lane, string? threshold, ImageBody body, Base64Text image)
    {
        var filter = new DetectionFilter(lane.Model.Contract);
        return threshold is not null && filter.SetScoreThreshold("threshold", threshold) is { } notAScore ? notAScore
            : (await door.DetectAsync(context, lane, filter, body, [image], _ => "image"))
                .Succeeded(out var answers, out var problem)
                ? Write(answers[0])
            : problem;
    }

    /// <summary>Boxes by their upper left corner and their size, in pixels.</summary>
    private static JsonAnswer Write(DetectionAnswer answer) => new(json =>
    {
        json.WriteStartObject();
        json.WriteStartArray("detections"u8);
        foreach (var detection in answer.Detections)
        {
            var box = DetectionAnswer.Rounded(detection);
            json.WriteStartObject();
            json.WriteNumber("x"u8, box.X1);
            json.WriteNumber("y"u8, box.Y1);
            json.WriteNumber("width"u8, Math.Round(box.X2 - box.X1, 3));
            json.WriteNumber("height"u8, Math.Round(box.Y2 - box.Y1, 3));
            json.WriteNumber("confidence"u8, DetectionFilter.ReportedScore(detection));
            json.WriteString("class_name"u8, answer.Contract.Labels[detection.Label]);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    });
}
