using System.Text.Json.Nodes;
using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Compatibility.Door;
using Fpn.Service.Observability;
using Fpn.Service.Problems;
using Fpn.Service.Security;

namespace Fpn.Service.Compatibility.SageMaker;

/// <summary>
/// Amazon SageMaker's contract with containers, <c>/ping</c> and <c>/invocations</c>; and the path of its runtime API,
/// so that AWS' SDKs can ask the service itself.
/// </summary>
internal sealed class SageMakerContract(
    SageMakerPlatform platform,
    PlatformProbe probe,
    InvocationEndpoint invocation,
    ImageDecoder decoder,
    MultiModelEndpoints? models = null) : IContract
{
    /// <summary>A multi-model endpoint has <c>/models</c> itself, which is the service's own otherwise.</summary>
    private const int BeforeOwnRoutes = -1;

    private const string Body = """
        { "inputs": [ { "name": "image", "datatype": "BYTES", "shape": [1], "data": ["/9j/4AAQSkZJRg…"] } ] }
        """;

    private const string Answer = """
        {
          "model": "everyday", "modelVersion": "1", "image": { "width": 512, "height": 512, "format": "jpeg" },
          "detections": [
            {
              "label": "person", "classId": 1, "score": 0.99871,
              "box": { "x1": 10.5, "y1": 2.25, "x2": 430.125, "y2": 511.5 }, "level": "p5"
            }
          ]
        }
        """;

    /// <inheritdoc/>
    public string Name => "sagemaker";

    /// <inheritdoc/>
    public string Title => "Amazon SageMaker";

    /// <inheritdoc/>
    public string Description => "What SageMaker asks of a container; the argument `serve` switches it on, too.";

    /// <inheritdoc/>
    public bool IsAskedFor => platform.IsAskedFor;

    /// <inheritdoc/>
    /// <remarks>SageMaker hands the text to the client, as the original message of its own error.</remarks>
    public JsonObject ErrorBody(Problem problem, string traceId) => Door.ErrorBody.Create(problem, traceId);

    /// <inheritdoc/>
    public void Map(IEndpointRouteBuilder routes)
    {
        // Before SageMaker loads the first model, it asks whether the container lives.
        routes.MapGet("/ping", (HttpContext context) =>
                platform.IsMultiModel ? PlatformProbe.AnswerYes(context) : probe.Answer(context))
            .WithName("sagemakerPing")
            .WithSummary("Says whether the service is ready")
            .WithDescription("An empty 200 means yes.")
            .Produces(StatusCodes.Status200OK)
            .AllowWithoutKey();
        // A delegate with these types alone would be taken for one that writes its answer itself.
        var invoke = (Delegate)((HttpContext context) => invocation.HandleAsync(context));
        routes.MapPost("/invocations", invoke)
            .WithName("sagemakerInvocations")
            .WithSummary("Finds objects in an image")
            .WithDescription(
                "`X-Amzn-SageMaker-Custom-Attributes` is the query of `/detect`; with JSON, it may name the model.")
            .WithMetadata(
                new AnswerExample("application/json", Answer),
                new BodyExample("An image, which `/detect` answers, or the JSON of `/v2/models/{model}/infer`.", Body))
            .WithDetectionProblems(decoder)
            .RequireScope(KeyScope.Detect);
        routes.MapPost("/endpoints/{endpoint}/invocations", invoke)
            .ExcludeFromDescription()
            .RequireScope(KeyScope.Detect);
        if (models is not null)
        {
            MapModels(routes.MapGroup("/models").WithOrder(BeforeOwnRoutes).ExcludeFromDescription(), models);
        }
    }

    private void MapModels(IEndpointRouteBuilder routes, MultiModelEndpoints endpoints)
    {
        routes.MapJsonPost("", endpoints.LoadAsync).RequireScope(KeyScope.Admin);
        routes.MapGet("", (HttpRequest request) => Task.FromResult(endpoints.List(request.Query)).ToResultAsync())
            .RequireScope(KeyScope.Detect);
        routes.MapGet("/{model}", (string model) => Task.FromResult(endpoints.Get(model)).ToResultAsync())
            .RequireScope(KeyScope.Detect);
        routes.MapDelete("/{model}", (HttpContext context, string model) =>
                endpoints.UnloadAsync(model, context.RequestAborted).ToResultAsync())
            .RequireScope(KeyScope.Admin);
        routes.MapPost("/{model}/invoke", (HttpContext context, string model) =>
                invocation.HandleAsync(context, model))
            .RequireScope(KeyScope.Detect);
    }
}
