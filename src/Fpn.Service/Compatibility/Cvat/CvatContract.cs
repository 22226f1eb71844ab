using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Connections;
using Fpn.Service.Json;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.Cvat;

/// <summary>CVAT's automatic annotation: the service stands in for the dashboard of Nuclio, which CVAT asks.</summary>
/// <exception cref="Settings.SettingsException">The trusted networks are wrong.</exception>
internal sealed class CvatContract(ContractDoor door, CompatibilityOptions options, ImageDecoder decoder) : IContract
{
    private const string FunctionHeader = "x-nuclio-function-name";

    private const string Function = """
        {
          "metadata": {
            "name": "fpn-blood-cells",
            "annotations": {
              "type": "detector", "name": "blood-cells", "framework": "fpn",
              "spec": "[{\"id\":1,\"name\":\"RBC\",\"type\":\"rectangle\"}]", "version": "1"
            }
          },
          "spec": { "description": "Blood cells" },
          "status": { "state": "ready", "httpPort": 8080 }
        }
        """;

    private const string Answer = """
        [
          {
            "label": "RBC", "confidence": "0.98761", "points": [84.13, 363.02, 196.52, 479.87], "type": "rectangle",
            "attributes": []
          }
        ]
        """;

    private readonly KeyPlaces _keys = new()
    {
        TrustedNetworks = NetworkList.Parse("Fpn:Compatibility:Cvat:Networks", options.Cvat.Networks),
    };

    /// <inheritdoc/>
    public string Name => "cvat";

    /// <inheritdoc/>
    public string Title => "CVAT";

    /// <inheritdoc/>
    public string Description => "The same models as functions for CVAT's automatic annotation.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup(string.Empty).WithMetadata(_keys);
        group.MapGet("/api/functions", (HttpContext context) => List(context.Connection.LocalPort))
            .WithName("cvatFunctions")
            .WithSummary("Lists the models as functions")
            .WithMetadata(new AnswerExample("application/json", $$"""{ "fpn-blood-cells": {{Function}} }"""))
            .RequireScope(KeyScope.Detect);
        group.MapGet(
                "/api/functions/{function}",
                (HttpContext context, string function) => Describe(function, context.Connection.LocalPort))
            .WithName("cvatFunction")
            .WithSummary("Describes a model as a function")
            .WithMetadata(
                new AnswerExample("application/json", Function),
                new PathParameterNote("function", "Name of the function: `fpn-` and the model's name."),
                new ProblemsMetadata(Problem.UnknownModel("pets", ["everyday", "blood-cells"])))
            .RequireScope(KeyScope.Detect);
        group.MapJsonPost("/api/function_invocations", InvokeAsync)
            .WithName("cvatInvoke")
            .WithSummary("Finds objects in an image")
            .WithDescription($"The header `{FunctionHeader}` names the function.")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample(
                    "An image as base64, or its URL; `threshold` may be left out.",
                    """{ "image": "/9j/4AAQSkZJRg…", "threshold": 0.5 }"""))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
    }

    private JsonAnswer List(int port) => new(json =>
    {
        json.WriteStartObject();
        foreach (var lane in door.Lanes)
        {
            json.WritePropertyName(CvatFunction.NameFor(lane.Model.Contract.Name));
            CvatFunction.Write(json, lane, port);
        }

        json.WriteEndObject();
    });

    private IResult Describe(string function, int port)
    {
        if (!door.Take(CvatFunction.ModelFor(function)).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            var lane = use.Lane;
            return new JsonAnswer(json => CvatFunction.Write(json, lane, port));
        }
    }

    private async Task<Outcome<JsonAnswer>> InvokeAsync(HttpContext context) =>
        context.Request.Headers[FunctionHeader] is [{ Length: > 0 } function]
            ? await door.Take(CvatFunction.ModelFor(function)).UseAsync(
                use => door.ReadJsonAsync(context).UseAsync(body => DetectAsync(context, use.Lane, body)))
            : Problem.BadParameter(FunctionHeader, "The header must name one function; /api/functions lists them.");

    private async Task<Outcome<JsonAnswer>> DetectAsync(HttpContext context, ModelLane lane, ImageBody body)
    {
        var (image, filter) = (new OneImage("image"), new DetectionFilter(lane.Model.Contract));
        var problem = JsonBody.Read(body.Bytes.Span, (ref JsonObjectReader json, string? name) => name switch
        {
            "image" => image.Read(ref json),
            "threshold" when json.Token != JsonTokenType.Null =>
                filter.SetScoreThreshold(name, json.NumberText() ?? string.Empty),
            _ => JsonBody.Skip(ref json),
        });
        return problem is not null ? problem
            : (await image.DetectAsync(door, context, lane, filter, body)).Succeeded(out var answer, out problem)
                ? new JsonAnswer(json => Write(json, answer))
            : problem;
    }

    /// <summary>Writes detections as CVAT's own functions do: the confidence is a text.</summary>
    private static void Write(Utf8JsonWriter json, DetectionAnswer answer)
    {
        json.WriteStartArray();
        foreach (var detection in answer.Detections)
        {
            var box = DetectionAnswer.Rounded(detection);
            json.WriteStartObject();
            json.WriteString("label"u8, answer.Contract.Labels[detection.Label]);
            json.WriteString(
                "confidence"u8,
                DetectionFilter.ReportedScore(detection).ToString("0.0####", CultureInfo.InvariantCulture));
            json.WriteStartArray("points"u8);
            json.WriteNumberValue(box.X1);
            json.WriteNumberValue(box.Y1);
            json.WriteNumberValue(box.X2);
            json.WriteNumberValue(box.Y2);
            json.WriteEndArray();
            json.WriteString("type"u8, "rectangle"u8);
            json.WriteStartArray("attributes"u8);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
