using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Imaging.Painting;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Formats;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Requests;

namespace Fpn.Service.Compatibility.Roboflow;

/// <summary>The API that <c>inference_sdk</c> speaks to servers of one's own, version 1.</summary>
internal sealed class RoboflowContract(
    ContractDoor door, ServedModels models, PicturePainter painter, ImageDecoder decoder) : IContract
{
    private const string Registry = """
        {
          "models": [
            {
              "model_id": "everyday/1", "task_type": "object-detection", "batch_size": null, "input_height": null,
              "input_width": null
            }
          ]
        }
        """;

    private const string Body = """
        { "model_id": "everyday/1", "image": { "type": "base64", "value": "/9j/4AAQSkZJRg…" }, "confidence": 0.4 }
        """;

    private const string Answer = """
        {
          "image": { "width": 640, "height": 480 },
          "predictions": [
            {
              "x": 140.75, "y": 421.56, "width": 113.5, "height": 116.88, "confidence": 0.98761, "class": "dog",
              "class_id": 12, "detection_id": "9c1d6f0e-6d5c-4f0c-9b0a-0e1c0c2f7a11"
            }
          ],
          "time": 0.0413, "inference_id": "0b6b6c39-1d3e-4d0e-8d6c-4a0c7a5b9f57"
        }
        """;

    /// <inheritdoc/>
    public string Name => "roboflow";

    /// <inheritdoc/>
    public string Title => "Roboflow";

    /// <inheritdoc/>
    public string Description => "Detection for inference_sdk and what builds on it.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => new()
    {
        ["message"] = ErrorResponse.TextFor(problem, traceId),
        ["error_type"] = problem.Type,
    };

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        var inQuery = new KeyPlaces { Query = "api_key" };
        routes.MapGet("/model/registry", () => new JsonAnswer(WriteRegistry))
            .WithName("roboflowRegistry")
            .WithSummary("Lists the models")
            .WithDescription("A model's id is its name and version.")
            .WithMetadata(new AnswerExample("application/json", Registry), inQuery)
            .RequireScope(KeyScope.Detect);
        routes.MapJsonPost(
                "/model/add",
                context => door.ReadJsonAsync(context).UseAsync(body => Task.FromResult(Add(context, body))))
            .WithName("roboflowAdd")
            .WithSummary("Lists the models, if one of them is the model that is asked for")
            .WithDescription("The service decides which models it serves; nothing is added.")
            .WithMetadata(
                new AnswerExample("application/json", Registry),
                new BodyExample("The model that is wanted.", """{ "model_id": "everyday/1" }"""),
                new ProblemsMetadata(Problem.UnknownModel("pets", ["everyday", "blood-cells"])),
                inQuery with { InBody = true })
            .RequireScope(KeyScope.Detect);
        routes.MapJsonPost(
                "/infer/object_detection",
                context => door.ReadJsonAsync(context).UseAsync(body => DetectAsync(context, body)))
            .WithName("roboflowDetect")
            .WithSummary("Finds objects in an image, or in each of a list")
            .WithDescription("Boxes are given by their center, width and height, in pixels.")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image, or a list of them.", Body),
                inQuery with { InBody = true })
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
    }

    private void WriteRegistry(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (var lane in door.Lanes)
        {
            json.WriteStartObject();
            json.WriteString("model_id"u8, $"{lane.Model.Contract.Name}/{lane.Model.Contract.Version}");
            json.WriteString("task_type"u8, "object-detection"u8);
            json.WriteNull("batch_size"u8);
            json.WriteNull("input_height"u8);
            json.WriteNull("input_width"u8);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private Outcome<JsonAnswer> Add(HttpContext context, ImageBody body)
    {
        if (!Understand(context, body).Succeeded(out var request, out var problem)
            || !Take(request.ModelId).Succeeded(out var use, out problem))
        {
            return problem;
        }

        use.Dispose();
        return new JsonAnswer(WriteRegistry);
    }

    private async Task<Outcome<JsonAnswer>> DetectAsync(HttpContext context, ImageBody body) =>
        !Understand(context, body).Succeeded(out var request, out var problem) ? problem
        : request.Images.Count == 0 ? Problem.BadParameter("image", "Is missing.")
        : await Take(request.ModelId).UseAsync(use => DetectAsync(context, body, request, use.Lane));

    private async Task<Outcome<JsonAnswer>> DetectAsync(
        HttpContext context, ImageBody body, RoboflowRequest request, ModelLane lane) =>
        FilterFor(request, lane).Succeeded(out var filter, out var problem)
            ? await door.OpenAsync(context, body, request.Images, request.PathFor).UseAsync(
                images => DetectAsync(context, images, request, lane, filter))
            : problem;

    private async Task<Outcome<JsonAnswer>> DetectAsync(
        HttpContext context, ImageSet images, RoboflowRequest request, ModelLane lane, DetectionFilter filter)
    {
        var run = await door.DetectAsync(context, lane, filter, images.Images, request.PathFor);
        if (!run.Succeeded(out var answers, out var problem))
        {
            return problem;
        }

        var pictures = new string?[answers.Length];
        for (var i = 0; request.Visualize && i < pictures.Length; i++)
        {
            var image = new DetectionRequest(images.Images[i]) { Cancellation = context.RequestAborted };
            var painted = await painter.PaintAsync(answers[i], image, PictureEncoding.Jpeg);
            if (!painted.Succeeded(out var picture, out problem))
            {
                return problem with { Parameter = request.PathFor(i) };
            }

            using (picture)
            {
                pictures[i] = Convert.ToBase64String(picture.Bytes);
            }
        }

        return new JsonAnswer(json => RoboflowAnswer.Write(json, answers, pictures, request.IsList));
    }

    private Outcome<RoboflowRequest> Understand(HttpContext context, ImageBody body) =>
        RoboflowRequest.Read(body.Bytes.Span, door).Succeeded(out var request, out var problem)
            ? door.Admit(context, request.Key) is { } refused ? refused : request
            : problem;

    /// <summary>Finds the model that an id names: its name, or its name and version.</summary>
    private Outcome<LaneUse> Take(string? id)
    {
        var slash = id?.LastIndexOf('/') ?? -1;
        return id is null ? door.Take(null)
            : slash < 0 ? models.Take(id, null)
            : models.Take(id[..slash], id[(slash + 1)..]);
    }

    private static Outcome<DetectionFilter> FilterFor(RoboflowRequest request, ModelLane lane)
    {
        var filter = new DetectionFilter(lane.Model.Contract);
        var problem = (request.Confidence is { } confidence ? filter.SetScoreThreshold("confidence", confidence) : null)
            ?? (request.MaxDetections is { } most ? filter.SetMaxDetections("max_detections", most) : null)
            ?? request.Classes?.Select(label => filter.KeepLabel("class_filter", label))
                .FirstOrDefault(wrong => wrong is not null);
        return problem is null ? filter : problem;
    }
}
