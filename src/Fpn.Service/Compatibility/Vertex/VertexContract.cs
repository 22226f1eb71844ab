using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Compatibility.Predict;
using Fpn.Service.Observability;
using Fpn.Service.Problems;
using Fpn.Service.Security;

namespace Fpn.Service.Compatibility.Vertex;

/// <summary>Vertex AI's contract with containers: a probe and predictions, at routes that its variables name.</summary>
internal sealed class VertexContract(
    VertexPlatform platform, PlatformProbe probe, ContractDoor door, PredictEndpoint predict, ImageDecoder decoder)
    : IContract
{
    /// <summary>Routes that the service has already answer as they always do.</summary>
    private const int AfterOwnRoutes = 1;

    private const string Body = """
        {
          "instances": [ { "content": "/9j/4AAQSkZJRg…" } ],
          "parameters": { "confidenceThreshold": 0.5, "maxPredictions": 10 }
        }
        """;

    private const string Answer = """
        {
          "predictions": [
            {
              "ids": ["2"], "displayNames": ["RBC"], "confidences": [0.98761],
              "bboxes": [[0.131, 0.307, 0.756, 0.999]]
            }
          ]
        }
        """;

    /// <inheritdoc/>
    public string Name => "vertex";

    /// <inheritdoc/>
    public string Title => "Vertex AI";

    /// <inheritdoc/>
    public string Description => "What Vertex AI asks of a container; its variables switch it on, too.";

    /// <inheritdoc/>
    public bool IsAskedFor => platform.IsAskedFor;

    /// <inheritdoc/>
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    /// <remarks>
    /// At routes that Vertex AI names they are left out of the OpenAPI document, which no client of it can reach, and
    /// which may describe these paths already.
    /// </remarks>
    public void Map(IEndpointRouteBuilder routes)
    {
        var health = routes.MapGet(platform.HealthRoute, (HttpContext context) => probe.Answer(context))
            .WithName("vertexHealth")
            .WithSummary("Says whether the service is ready")
            .WithDescription("An empty 200 means yes.")
            .Produces(StatusCodes.Status200OK)
            .AllowWithoutKey()
            .WithOrder(AfterOwnRoutes);

        // A delegate with these types alone would be taken for one that writes its answer itself.
        var answer = (Delegate)((HttpContext context) =>
            predict.HandleAsync(context, door.Take(model: null), VertexPrediction.Write));
        var prediction = routes.MapPost(platform.PredictRoute, answer)
            .WithName("vertexPredict")
            .WithSummary("Finds objects in images")
            .WithDescription("The default model answers, in the order of the instances.")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image each, as base64.", Body))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect)
            .WithOrder(AfterOwnRoutes);
        if (platform.IsAskedFor)
        {
            health.ExcludeFromDescription();
            prediction.ExcludeFromDescription();
        }
    }
}
