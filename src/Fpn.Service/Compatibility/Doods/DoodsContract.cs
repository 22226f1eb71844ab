using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Microsoft.AspNetCore.Http.Metadata;

namespace Fpn.Service.Compatibility.Doods;

/// <summary>DOODS, which Home Assistant has an integration for.</summary>
/// <remarks>It shares the path <c>/detect</c> with the service's own: JSON is a request of this contract.</remarks>
internal sealed class DoodsContract(ContractDoor door, ImageDecoder decoder) : IContract
{
    /// <summary>The detector that stands for the default model.</summary>
    private const string DefaultDetector = "default";

    private const string Detectors = """
        {
          "detectors": [
            {
              "name": "default", "type": "fpn", "model": "blood-cells", "labels": ["RBC", "WBC", "Platelets"],
              "width": 0, "height": 0
            }
          ]
        }
        """;

    private const string Body = """
        { "id": "7", "detector_name": "default", "data": "/9j/4AAQSkZJRg…", "detect": { "*": 50, "RBC": 60 } }
        """;

    private const string Answer = """
        {
          "id": "7",
          "detections": [
            {
              "top": 0.756321, "left": 0.131458, "bottom": 0.999732, "right": 0.307089, "label": "RBC",
              "confidence": 98.761
            }
          ]
        }
        """;

    private readonly KeyPlaces _keys = new() { Header = "doods-auth-key" };

    /// <inheritdoc/>
    public string Name => "doods";

    /// <inheritdoc/>
    public string Title => "DOODS";

    /// <inheritdoc/>
    public string Description => "The same models for clients of DOODS, such as Home Assistant.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(string.Empty).WithMetadata(_keys);
        group.MapGet("/detectors", () => new JsonAnswer(WriteDetectors))
            .WithName("doodsDetectors")
            .WithSummary("Lists the models as detectors")
            .WithMetadata(new AnswerExample("application/json", Detectors))
            .RequireScope(KeyScope.Detect);
        group.MapJsonPost(
                "/detect",
                context => door.ReadJsonAsync(context).UseAsync(body => DetectAsync(context, body)))
            .WithName("doodsDetect")
            .WithSummary("Finds objects in an image")
            .WithMetadata(
                new AcceptsMetadata(["application/json"]),
                new AnswerExample("application/json", Answer),
                new BodyExample(
                    "As JSON, DOODS's request: an image as base64 or its URL, and the least confidences.", Body))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
    }

    private static DoodsBox Parts(in Box box, ImageSize size) => new(
        Part(box.Y1, size.Height), Part(box.X1, size.Width), Part(box.Y2, size.Height), Part(box.X2, size.Width));

    // Six decimals are a thousandth of a pixel in the largest pictures that models are made for.
    private static double Part(float position, int size) => Math.Round(position / (double)size, 6);

    private void WriteDetectors(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("detectors"u8);
        if (door.Take(null).Succeeded(out var use, out _))
        {
            using (use)
            {
                WriteDetector(json, DefaultDetector, use.Lane);
            }
        }

        foreach (var lane in door.Lanes)
        {
            WriteDetector(json, lane.Model.Contract.Name, lane);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteDetector(Utf8JsonWriter json, string name, ModelLane lane)
    {
        var contract = lane.Model.Contract;
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("type"u8, "fpn"u8);
        json.WriteString("model"u8, contract.Name);
        json.WriteStartArray("labels"u8);
        foreach (var label in contract.Labels)
        {
            json.WriteStringValue(label);
        }

        json.WriteEndArray();

        // Images of any size.
        json.WriteNumber("width"u8, 0);
        json.WriteNumber("height"u8, 0);
        json.WriteEndObject();
    }

    private async Task<Outcome<JsonAnswer>> DetectAsync(HttpContext context, ImageBody body) =>
        DoodsRequest.Read(body.Bytes.Span).Succeeded(out var request, out var problem)
            ? await door.Take(ModelFor(request.Detector)).UseAsync(
                use => DetectAsync(context, use.Lane, request, body))
            : problem;

    private async Task<Outcome<JsonAnswer>> DetectAsync(
        HttpContext context, ModelLane lane, DoodsRequest request, ImageBody body) =>
        (await request.Image.DetectAsync(door, context, lane, new DetectionFilter(lane.Model.Contract), body))
            .Succeeded(out var answer, out var problem)
            ? new JsonAnswer(json => Write(json, request, answer))
            : problem;

    private static string? ModelFor(string? detector) => detector is null or "" or DefaultDetector ? null : detector;

    /// <summary>Writes an answer; Home Assistant takes any member <c>error</c> for a failure.</summary>
    private static void Write(Utf8JsonWriter json, DoodsRequest request, DetectionAnswer answer)
    {
        json.WriteStartObject();
        if (request.Id is { } id)
        {
            json.WriteString("id"u8, id);
        }

        json.WriteStartArray("detections"u8);
        foreach (var detection in answer.Detections)
        {
            var label = answer.Contract.Labels[detection.Label];
            var box = Parts(detection.Box, answer.Size);

            // A reported score has five decimals; times 100 it would have more, for want of decimal floats.
            var percent = Math.Round(100 * DetectionFilter.ReportedScore(detection), 3);
            if (!request.Keep(box, label, percent))
            {
                continue;
            }

            json.WriteStartObject();
            json.WriteNumber("top"u8, box.Top);
            json.WriteNumber("left"u8, box.Left);
            json.WriteNumber("bottom"u8, box.Bottom);
            json.WriteNumber("right"u8, box.Right);
            json.WriteString("label"u8, label);
            json.WriteNumber("confidence"u8, percent);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }
}
