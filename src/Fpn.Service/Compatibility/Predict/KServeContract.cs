using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Models.Loading;
using Fpn.Service.Annotations;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.Predict;

/// <summary>KServe's first protocol, which is TensorFlow Serving's: <c>/v1/models/{model}:predict</c>.</summary>
internal sealed class KServeContract(
    ContractDoor door, ServedModels models, PredictEndpoint predict, ImageDecoder decoder) : IContract
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
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/v1/models", () => new JsonAnswer(WriteModels))
            .WithName("kserveModels")
            .WithSummary("Lists the models")
            .WithDescription("Their names, the default model first.")
            .WithMetadata(new AnswerExample("application/json", """{ "models": ["everyday", "blood-cells"] }"""))
            .RequireScope(KeyScope.Detect);
        routes.MapGet("/v1/models/{model}", (string model) => Describe(model, null))
            .WithName("kserveModel")
            .WithSummary("Says whether a model is ready, in both forms")
            .WithDescription("KServe reads `ready`, TensorFlow Serving `model_version_status`.")
            .WithMetadata(StatusExample(), new PathParameterNote("model", ModelNote))
            .RequireScope(KeyScope.Detect);
        routes.MapGet(
                "/v1/models/{model}/versions/{version}", (string model, string version) => Describe(model, version))
            .WithName("kserveModelVersion")
            .WithSummary("Says whether a version of a model is ready")
            .WithDescription("404 unless the version is loaded.")
            .WithMetadata(StatusExample(), new PathParameterNote("model", ModelNote), VersionNote())
            .RequireScope(KeyScope.Detect);
        routes.MapPost(
                "/v1/models/{model}:predict",
                (HttpContext context, string model) =>
                    predict.HandleAsync(context, models.Take(model, null), Prediction.Write))
            .WithName("kservePredict")
            .WithSummary("Finds objects in images")
            .WithDescription("An image is base64, or an object that has it as `b64`; `inputs` give `outputs`.")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image each, as base64.", Body),
                new PathParameterNote("model", ModelNote))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
        routes.MapPost(
                "/v1/models/{model}/versions/{version}:predict",
                (HttpContext context, string model, string version) =>
                    predict.HandleAsync(context, models.Take(model, version), Prediction.Write))
            .WithName("kservePredictVersion")
            .WithSummary("Finds objects in images, by a version of a model")
            .WithDescription("404 unless the version is loaded.")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image each, as base64.", Body),
                new PathParameterNote("model", ModelNote),
                VersionNote())
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
    }

    private static PathParameterNote VersionNote() =>
        new("version", "A version that is loaded.", IsVersion: true);

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

        ModelLane[] lanes;
        using (use)
        {
            lanes = version is null ? [.. models.Find(model)] : [use.Lane];
        }

        return new JsonAnswer(json =>
        {
            json.WriteStartObject();
            json.WriteString("name"u8, model);
            json.WriteBoolean("ready"u8, !use.Lane.Model.IsLost);
            json.WriteStartArray("model_version_status"u8);
            Array.ForEach(lanes, lane => WriteStatus(json, lane.Model));
            json.WriteEndArray();
            json.WriteEndObject();
        });
    }

    private static void WriteStatus(Utf8JsonWriter json, ModelEntry model)
    {
        var isReady = !model.IsLost;
        json.WriteStartObject();
        json.WriteString("version"u8, model.Contract.Version);
        json.WriteString("state"u8, isReady ? "AVAILABLE"u8 : "UNLOADING"u8);
        json.WriteStartObject("status"u8);
        json.WriteString("error_code"u8, isReady ? "OK"u8 : "UNAVAILABLE"u8);
        json.WriteString("error_message"u8, isReady ? ""u8 : "The device is lost."u8);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
