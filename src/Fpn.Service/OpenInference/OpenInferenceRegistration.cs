using Fpn.Imaging.Decoding;
using Fpn.Models.Loading;
using Fpn.Service.Annotations;
using Fpn.Service.Json;
using Fpn.Service.Observability;
using Fpn.Service.Problems;
using Fpn.Service.Repository;
using Fpn.Service.Security;
using Fpn.Serving.Telemetry;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fpn.Service.OpenInference;

/// <summary>The Open Inference Protocol, version 2, over HTTP: below <c>/v2</c>.</summary>
internal static class OpenInferenceRegistration
{
    /// <summary>Operation ids of the two paths that infer.</summary>
    public static readonly IReadOnlyList<string> InferOperations = ["oipInfer", $"oipInfer{Version}"];

    private const string Root = "/v2";
    private const string Tag = "Open Inference Protocol";
    private const string Json = "application/json";

    /// <summary>Ends the operation ids of paths that name a version.</summary>
    private const string Version = "Version";

    private const string ModelExample = """
        {
          "name": "everyday", "versions": ["1"], "platform": "onnx_onnxv1",
          "inputs": [ { "name": "image", "datatype": "BYTES", "shape": [-1] } ],
          "outputs": [
            { "name": "boxes", "datatype": "FP32", "shape": [-1, 4] },
            { "name": "scores", "datatype": "FP32", "shape": [-1] },
            { "name": "labels", "datatype": "INT64", "shape": [-1] },
            { "name": "image_index", "datatype": "INT64", "shape": [-1] }
          ]
        }
        """;

    private const string StatisticsExample = """
        {
          "model_stats": [ {
            "name": "everyday", "version": "1", "last_inference": 1767225600000,
            "inference_count": 3, "execution_count": 2,
            "inference_stats": {
              "success": { "count": 3, "ns": 690000000 }, "fail": { "count": 1, "ns": 0 },
              "queue": { "count": 3, "ns": 60000000 }, "compute_input": { "count": 3, "ns": 30000000 },
              "compute_infer": { "count": 3, "ns": 597000000 }, "compute_output": { "count": 3, "ns": 3000000 },
              "cache_hit": { "count": 0, "ns": 0 }, "cache_miss": { "count": 0, "ns": 0 }
            },
            "batch_stats": [ {
              "batch_size": 1, "compute_input": { "count": 1, "ns": 6000000 },
              "compute_infer": { "count": 1, "ns": 157000000 }, "compute_output": { "count": 1, "ns": 1000000 }
            } ]
          } ]
        }
        """;

    /// <summary>Whether a path belongs to the protocol, whose failures take the form of the protocol.</summary>
    public static bool Speaks(PathString path) => path.StartsWithSegments(Root, StringComparison.Ordinal);

    /// <summary>Registers what the endpoints need.</summary>
    public static WebApplicationBuilder AddOpenInference(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<ServedModels>()
            .AddSingleton<ModelStatisticsReport>()
            .AddSingleton<ImageInference>()
            .AddSingleton<InferEndpoint>()
            .AddSingleton<IProblemForm, OpenInferenceErrors>();
        return builder;
    }

    /// <summary>Maps the endpoints, each with and without a version.</summary>
    public static WebApplication MapOpenInference(this WebApplication app)
    {
        // Created now, so that nothing is missed.
        app.Services.GetRequiredService<StatisticsCollector>();
        var decoder = app.Services.GetRequiredService<ImageDecoder>();
        var group = app.MapGroup(Root).WithTags(Tag).AddEndpointFilterFactory(MatchCase);
        group.MapGet(string.Empty, (ControlOptions control) => MetadataEndpoints.DescribeServer(control))
            .WithName("oipServerMetadata")
            .WithSummary("Describes the server")
            .WithDescription("Its name, its version and the extensions of the protocol that it serves.")
            .Produces<ServerMetadataResponse>()
            .WithMetadata(new AnswerExample(
                Json,
                """
                {
                  "name": "Fpn.Service", "version": "0.1.0",
                  "extensions": ["binary_tensor_data", "schedule_policy", "parameters", "statistics"]
                }
                """))
            .RequireScope(KeyScope.Detect);
        group.MapGet("/health/live", () => MetadataEndpoints.Live())
            .WithName("oipServerLive")
            .WithSummary("Says whether the server answers")
            .WithDescription("200 means yes.")
            .Produces<ServerLiveResponse>()
            .WithMetadata(new AnswerExample(Json, """{ "live": true }"""))
            .AllowWithoutKey();
        group.MapGet(
                "/health/ready",
                (HttpContext context, HealthCheckService health) => MetadataEndpoints.ReadyAsync(context, health))
            .WithName("oipServerReady")
            .WithSummary("Says whether every model can be asked")
            .WithDescription("200 means yes, 400 means no, and the body says why.")
            .Produces<ServerReadyResponse>()
            .WithMetadata(new AnswerExample(Json, """{ "live": true, "ready": true }"""))
            .WithMetadata(new ProblemsMetadata(Problem.BadRequest(ReadinessCheck.ShuttingDown)))
            .AllowWithoutKey();
        group.MapGet(
                "/models/{model}",
                (string model, ServedModels models) => MetadataEndpoints.DescribeModel(model, null, models))
            .DescribesModel("oipModelMetadata");
        group.MapGet(
                "/models/{model}/versions/{version}",
                (string model, string version, ServedModels models) =>
                    MetadataEndpoints.DescribeModel(model, version, models))
            .DescribesModel($"oipModelMetadata{Version}");
        group.MapGet(
                "/models/{model}/ready",
                (string model, ServedModels models) => MetadataEndpoints.ModelReady(model, null, models))
            .SaysWhetherReady("oipModelReady");
        group.MapGet(
                "/models/{model}/versions/{version}/ready",
                (string model, string version, ServedModels models) =>
                    MetadataEndpoints.ModelReady(model, version, models))
            .SaysWhetherReady($"oipModelReady{Version}");
        group.MapGet("/models/stats", (ModelStatisticsReport report) => report.Handle(null, null))
            .Reports("oipStatistics", "Says what all models have done");
        group.MapGet(
                "/models/{model}/stats", (string model, ModelStatisticsReport report) => report.Handle(model, null))
            .ReportsOnModel("oipModelStatistics");
        group.MapGet(
                "/models/{model}/versions/{version}/stats",
                (string model, string version, ModelStatisticsReport report) => report.Handle(model, version))
            .ReportsOnModel($"oipModelStatistics{Version}");
        group.MapPost(
                "/models/{model}/infer",
                (HttpContext context, string model, InferEndpoint endpoint) =>
                    endpoint.HandleAsync(context, model, null))
            .Infers(InferOperations[0], decoder);
        group.MapPost(
                "/models/{model}/versions/{version}/infer",
                (HttpContext context, string model, string version, InferEndpoint endpoint) =>
                    endpoint.HandleAsync(context, model, version))
            .Infers(InferOperations[1], decoder);
        return app;
    }

    /// <summary>
    /// Refuses paths in another case: routing takes <c>/V2/Models</c> for <c>/v2/models</c>, the protocol does not.
    /// </summary>
    private static EndpointFilterDelegate MatchCase(
        EndpointFilterFactoryContext context, EndpointFilterDelegate next) => invocation =>
    {
        var http = invocation.HttpContext;
        var pattern = ((RouteEndpoint)http.GetEndpoint()!).RoutePattern;
        var path = http.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < pattern.PathSegments.Count; i++)
        {
            if (pattern.PathSegments[i].Parts is [RoutePatternLiteralPart literal] && path[i] != literal.Content)
            {
                return ValueTask.FromResult<object?>(new ProblemResult(Problem.NotFound(http.Request)));
            }
        }

        return next(invocation);
    };

    private static void DescribesModel(this RouteHandlerBuilder endpoint, string operation) => endpoint
        .WithName(operation)
        .WithSummary("Describes a model")
        .WithDescription("Its loaded versions, its input and its outputs.")
        .Produces<ModelMetadataResponse>()
        .WithMetadata(new AnswerExample(Json, ModelExample))
        .WithMetadata(UnknownModel())
        .RequireScope(KeyScope.Detect)
        .NamesModel(operation);

    private static void SaysWhetherReady(this RouteHandlerBuilder endpoint, string operation) => endpoint
        .WithName(operation)
        .WithSummary("Says whether a model can be asked")
        .WithDescription("200 means yes, 400 means no, and the body says why.")
        .Produces<ModelReadyResponse>()
        .WithMetadata(new AnswerExample(Json, """{ "name": "everyday", "ready": true }"""))
        .WithMetadata(UnknownModel(), new ProblemsMetadata(Problem.BadRequest(ModelEntry.LostDetail("everyday"))))
        .RequireScope(KeyScope.Detect)
        .NamesModel(operation);

    private static RouteHandlerBuilder Reports(
        this RouteHandlerBuilder endpoint, string operation, string summary) => endpoint
        .WithName(operation)
        .WithSummary(summary)
        .WithDescription(
            "Triton's statistics: how many images, how many runs, and where their time went, since the process began. "
            + "The numbers are those of `/metrics`; an image counts as a request of its own.")
        .Produces<StatisticsResponse>()
        .WithMetadata(new AnswerExample(Json, StatisticsExample))
        .RequireScope(KeyScope.Detect);

    private static void ReportsOnModel(this RouteHandlerBuilder endpoint, string operation) => endpoint
        .Reports(operation, "Says what a model has done")
        .WithMetadata(UnknownModel())
        .NamesModel(operation);

    private static void Infers(this RouteHandlerBuilder endpoint, string operation, ImageDecoder decoder) => endpoint
        .WithName(operation)
        .WithSummary("Finds objects in images")
        .WithDescription(
            "The images go through the same queue as those of `/detect`, side by side. "
            + "One that fails, fails the request; the error names it. "
            + "Outputs of proposals, where `outputs` names them, ask the first stage alone. "
            + "`X-Priority` and `X-Request-Timeout-Ms` mean what they mean for `/detect`, "
            + "unless parameters say otherwise.")
        .WithMetadata(
            UnknownModel(),
            new ProblemsMetadata(
                InferRequestReader.WrongDatatype("inputs[0].datatype"),
                JsonBody.NotUtf8(),
                Problem.BodyTooSlow(),
                Problem.BatchTooLarge(256L << 20),
                ImageTensor.At(0, Problem.ImageTooLarge(20L << 20)),
                ImageTensor.At(0, FailureExamples.TooManyPixels(decoder)),
                Problem.UnsupportedEncoding("gzip"),
                ImageTensor.At(0, FailureExamples.UnsupportedImageFormat(decoder)),
                ImageTensor.At(0, FailureExamples.UndecodableImage()),
                Problem.InternalError(),
                ImageTensor.At(0, FailureExamples.QueueFull()),
                ImageTensor.At(0, FailureExamples.ShuttingDown()),
                ImageTensor.At(0, FailureExamples.DeviceLost()),
                ImageTensor.At(0, FailureExamples.DeadlinePassed())))
        .RequireScope(KeyScope.Detect)
        .NamesModel(operation);

    private static void NamesModel(this RouteHandlerBuilder endpoint, string operation)
    {
        endpoint.WithMetadata(new PathParameterNote("model", "Name of the model; case matters."));
        if (operation.EndsWith(Version, StringComparison.Ordinal))
        {
            endpoint.WithMetadata(
                new PathParameterNote("version", "A version that is loaded.", IsVersion: true));
        }
    }

    private static ProblemsMetadata UnknownModel() =>
        new(Problem.UnknownModel("pets", ["everyday", "blood-cells"]), Problem.UnknownVersion("everyday", "7", ["1"]));
}
