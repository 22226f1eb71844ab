using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Compatibility.LabelStudio;

/// <summary>An ML backend of Label Studio for each model, at <c>/label-studio/{model}</c>.</summary>
internal sealed class LabelStudioContract(ContractDoor door, TaskPredictor predictor, ImageDecoder decoder) : IContract
{
    private const string Json = "application/json";

    private const string Tasks = """
        {
          "tasks": [ { "id": 1, "data": { "image": "https://labels.example.com/data/upload/3/a.jpg" } } ],
          "label_config": "<View><Image name=\"image\" value=\"$image\"/></View>"
        }
        """;

    private const string Results = """
        {
          "results": [
            {
              "model_version": "everyday/1",
              "result": [
                {
                  "from_name": "label", "to_name": "image", "type": "rectanglelabels", "original_width": 640,
                  "original_height": 480, "image_rotation": 0,
                  "value": {
                    "x": 13.1255, "y": 75.65, "width": 17.73438, "height": 24.35, "rotation": 0,
                    "rectanglelabels": ["dog"]
                  },
                  "score": 0.98761
                }
              ],
              "score": 0.98761
            }
          ]
        }
        """;

    /// <inheritdoc/>
    public string Name => "label-studio";

    /// <inheritdoc/>
    public string Title => "Label Studio";

    /// <inheritdoc/>
    public string Description => "An ML backend for each model: predictions as boxes to correct.";

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/label-studio/{model}")
            .WithMetadata(
                new KeyPlaces { Basic = true },
                new PathParameterNote("model", "Name of the model; case matters."),
                new ProblemsMetadata(Problem.UnknownModel("pets", ["everyday", "blood-cells"])));
        group.MapGet("/health", (string model) => Answer(model, lane => new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WriteString("status"u8, "UP"u8);
                json.WriteString("model_class"u8, lane.Model.Contract.Name);
                json.WriteEndObject();
            })))
            .WithName("labelStudioHealth")
            .WithSummary("Says that the model is there")
            .WithDescription("404 if it is not served.")
            .WithMetadata(new AnswerExample(Json, """{ "status": "UP", "model_class": "everyday" }"""))
            .RequireScope(KeyScope.Detect);
        group.MapPost("/setup", (string model) => Answer(model, lane => new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WriteString("model_version"u8, TaskPredictor.VersionFor(lane));
                json.WriteEndObject();
            })))
            .WithName("labelStudioSetup")
            .WithSummary("Connects a project to the model")
            .WithDescription("The answer names the version that predictions are shown with.")
            .WithMetadata(
                new AnswerExample(Json, """{ "model_version": "everyday/1" }"""),
                new BodyExample("What Label Studio sends; not read.", """{ "project": "3.1746612998" }"""))
            .RequireScope(KeyScope.Detect);
        group.MapPost("/predict", (HttpContext context, string model) =>
                predictor.PredictAsync(context, model).ToResultAsync())
            .WithName("labelStudioPredict")
            .WithSummary("Predicts tasks")
            .WithDescription(
                "As many results as tasks. A picture that fails has an empty result, unless all of them fail.")
            .WithMetadata(new AnswerExample(Json, Results), new BodyExample("Tasks of a project.", Tasks))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
        group.MapPost("/webhook", (string model) => Answer(model, _ => new JsonAnswer(json =>
            {
                json.WriteStartObject();
                json.WriteString("result"u8, "ignored"u8);
                json.WriteString("status"u8, "ok"u8);
                json.WriteEndObject();
            })
        {
            Status = StatusCodes.Status201Created,
        }))
            .WithName("labelStudioWebhook")
            .WithSummary("Takes note of what happens in a project; trains nothing")
            .WithDescription("Any event is accepted.")
            .Produces(StatusCodes.Status201Created)
            .WithMetadata(new BodyExample("An event; not read.", """{ "action": "ANNOTATION_CREATED" }"""))
            .RequireScope(KeyScope.Detect);
    }

    private IResult Answer(string model, Func<ModelLane, IResult> answer)
    {
        if (!door.Take(model).Succeeded(out var use, out var problem))
        {
            return new ProblemResult(problem);
        }

        using (use)
        {
            return answer(use.Lane);
        }
    }
}
