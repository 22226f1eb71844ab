using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.Predict;

/// <summary>KServe's first protocol, which is TensorFlow Serving's: <c>/v1/models/{model}:predict</c>.</summary>
internal sealed class KServeContract(ContractDoor door, ServedModels models, ImageDecoder decoder) : IContract
{
    private const string ModelNote = "Name of the model; case matters.";

    private const string Body = """{ "instances": [ { "b64": "/9j/4AAQSkZJRg…" } ] }""";

    private const string Answer = """
        {
          "predictions": [
            {
              "num_detections": 1, "detection_boxes": [[0.756, 0.131, 0.999, 0.307]], "detection_scores": [0.98761],
              "detection_classes": [2], "detection_class_labels": ["RBC"]
            }
          ]
        }
        """;

    /// <inheritdoc/>
    public string Name => "kserve-v1";

    /// <inheritdoc/>
    public string Title => "KServe v1";

    /// <inheritdoc/>
    public string Description => "The same models for clients of KServe's first protocol and TensorFlow Serving.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => new()
    {
        ["error"] = ErrorResponse.TextFor(problem, traceId),
    };

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", () => new JsonAnswer(WriteModels))
            .WithName("kserveModels")
            .WithSummary("Lists the models")
            .WithMetadata(new AnswerExample("application/json", """{ "models": ["everyday", "blood-cells"] }"""))
            .RequireScope(KeyScope.Detect);
        routes.MapGet("/v1/models/{model}", (string model) => Describe(model, null))
            .WithName("kserveModel")
            .WithSummary("Says whether a model is ready, in both forms")
            .WithMetadata(StatusExample(), new PathParameterNote("model", ModelNote))
            .RequireScope(KeyScope.Detect);
        routes.MapGet(
                "/v1/models/{model}/versions/{version}", (string model, string version) => Describe(model, version))
            .WithName("kserveModelVersion")
            .WithSummary("Says whether a version of a model is ready")
            .WithMetadata(StatusExample(), new PathParameterNote("model", ModelNote), VersionNote())
            .RequireScope(KeyScope.Detect);
        routes.MapPost(
                "/v1/models/{model}:predict", (HttpContext context, string model) => PredictAsync(context, model, null))
            .WithName("kservePredict")
            .WithSummary("Finds objects in images")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image each, as base64.", Body),
                new PathParameterNote("model", ModelNote))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
        routes.MapPost(
                "/v1/models/{model}/versions/{version}:predict",
                (HttpContext context, string model, string version) => PredictAsync(context, model, version))
            .WithName("kservePredictVersion")
            .WithSummary("Finds objects in images, by a version of a model")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image each, as base64.", Body),
                new PathParameterNote("model", ModelNote),
                VersionNote())
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
    }

    private static PathParameterNote VersionNote() =>
        new("version", "The version that must be loaded.", IsVersion: true);

    private static AnswerExample StatusExample() => new(
        "application/json",
        """
        {
          "name": "everyday", "ready": true,
          "model_version_status": [
            { "version": "1", "state": "AVAILABLE", "status": { "error_code": "OK", "error_message": "" } }
          ]
        }
        """);

    private void WriteModels(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("models"u8);
        foreach (var lane in door.Lanes)
        {
            json.WriteStringValue(lane.Model.Contract.Name);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private IResult Describe(string model, string? version)
    {
        if (!models.Take(model, version).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            var (loaded, isReady) = (use.Lane.Model.Contract.Version, !use.Lane.Model.IsLost);
            return new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WriteString("name"u8, model);
                json.WriteBoolean("ready"u8, isReady);
                json.WriteStartArray("model_version_status"u8);
                json.WriteStartObject();
                json.WriteString("version"u8, loaded);
                json.WriteString("state"u8, isReady ? "AVAILABLE"u8 : "UNLOADING"u8);
                json.WriteStartObject("status"u8);
                json.WriteString("error_code"u8, isReady ? "OK"u8 : "UNAVAILABLE"u8);
                json.WriteString("error_message"u8, isReady ? ""u8 : "The device is lost."u8);
                json.WriteEndObject();
                json.WriteEndObject();
                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
    }

    private async Task<IResult> PredictAsync(HttpContext context, string model, string? version)
    {
        if (!models.Take(model, version).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            return (await PredictAsync(context, use.Lane)).Succeeded(out var answer, out problem)
                ? answer
                : new ProblemResult(problem);
        }
    }

    private async Task<Outcome<JsonAnswer>> PredictAsync(HttpContext context, ModelLane lane)
    {
        if (!(await door.ReadJsonAsync(context)).Succeeded(out var body, out var problem))
        {
            return problem;
        }

        using (body)
        {
            var filter = new DetectionFilter(lane.Model.Contract);
            if (!PredictRequest.Read(body.Bytes.Span, filter, door).Succeeded(out var request, out problem)
                || !door.Decode(body, request.Images, request.PathFor).Succeeded(out var images, out problem)
                || !(await door.DetectAsync(context, lane, filter, images, request.PathFor))
                    .Succeeded(out var answers, out problem))
            {
                return problem;
            }

            return new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WriteStartArray(request.IsColumnar ? "outputs"u8 : "predictions"u8);
                Array.ForEach(answers, answer => Prediction.Write(json, answer));
                json.WriteEndArray();
                json.WriteEndObject();
            });
        }
    }
}
