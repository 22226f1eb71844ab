using Fpn.Service.Api.OpenInference;
using Fpn.Service.Batching;

namespace Fpn.Service.Api;

/// <summary>The HTTP side: endpoints, limits, problems.</summary>
internal static class ApiRegistration
{
    /// <summary>Operation id of <c>POST /detect</c>.</summary>
    public const string DetectOperation = "detect";

    /// <summary>Registers what the endpoints need.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJsonContext.Default));
        services.AddExceptionHandler<FailureHandler>();
        services.AddSingleton<ImageBodyReader>();
        services.AddSingleton<BodyWait>();
        services.AddSingleton<DetectionEndpoint>();
        services.AddSingleton<RepositoryEndpoints>();
        return services.AddOpenInference();
    }

    /// <summary>Turns failures and bare statuses (404, 405 …) into problems.</summary>
    public static WebApplication UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(new ExceptionHandlerOptions { ExceptionHandler = _ => Task.CompletedTask, AllowStatusCode404Response = true });
        app.UseStatusCodePages(context =>
        {
            var http = context.HttpContext;
            var problem = http.Response.StatusCode switch
            {
                StatusCodes.Status404NotFound => Problem.NotFound(http.Request.Path),
                StatusCodes.Status405MethodNotAllowed => Problem.MethodNotAllowed(http.Request.Method),
                var status => Problem.OfStatus(status),
            };
            return new ProblemResult(problem).ExecuteAsync(http);
        });
        return app;
    }

    /// <summary>Maps all endpoints of the API.</summary>
    public static WebApplication MapApi(this WebApplication app)
    {
        app.MapPost("/detect", (HttpContext context, DetectionEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithName(DetectOperation)
            .WithTags("Detection")
            .WithSummary("Finds objects in an image")
            .WithDescription("Boxes are xyxy in pixels of the image as displayed (after EXIF orientation), best score first.")
            .Produces<DetectionResponse>()
            .WithMetadata(DetectProblems());
        app.MapGet("/models", (LaneRegistry lanes) => ModelEndpoints.List(lanes))
            .WithName("listModels")
            .WithTags("Models")
            .WithSummary("Lists the models that are served")
            .Produces<ModelListResponse>();
        app.MapGet("/models/{name}", (string name, LaneRegistry lanes) => ModelEndpoints.Get(name, lanes))
            .WithName("getModel")
            .WithTags("Models")
            .WithSummary("Describes one model: input rule, thresholds, labels")
            .Produces<ModelResponse>()
            .WithMetadata(new ProblemsMetadata(Problem.UnknownModel("cells", ["blood-cells"])));
        app.MapOpenInference();
        app.MapPost("/v2/repository/index", (HttpContext context, RepositoryEndpoints repository) => repository.IndexAsync(context))
            .WithName(RepositoryEndpoints.IndexOperation)
            .WithTags("Repository")
            .WithSummary("Lists the model packages and whether they are served")
            .Produces<IReadOnlyList<RepositoryModelResponse>>();
        app.MapPost(
                "/v2/repository/models/{name}/load",
                (HttpContext context, string name, RepositoryEndpoints repository) => repository.LoadAsync(context, name))
            .WithName(RepositoryEndpoints.LoadOperation)
            .WithTags("Repository")
            .WithSummary("Loads a model package, or loads it again after it changed")
            .WithDescription("Answers when the package is warm and serves; until then, and if it fails, the one that was loaded before serves.")
            .Produces(StatusCodes.Status200OK);
        app.MapPost(
                "/v2/repository/models/{name}/unload",
                (HttpContext context, string name, RepositoryEndpoints repository) => repository.UnloadAsync(context, name))
            .WithName(RepositoryEndpoints.UnloadOperation)
            .WithTags("Repository")
            .WithSummary("Takes a model out of service")
            .WithDescription("Requests that were accepted before are answered.")
            .Produces(StatusCodes.Status200OK);
        app.MapGet("/", () => Results.Redirect("swagger")).ExcludeFromDescription();
        return app;
    }

    private static ProblemsMetadata DetectProblems() => new(
        Problem.NoImage("The body is empty. Send the image itself, or a form with the part 'image'."),
        Problem.TooManyImages("The form has more than one part 'image'. Send one; /detect/batch takes several."),
        Problem.BadParameter("scoreThreshold", "'abc' is not a number from 0 to 1."),
        Problem.BrokenMultipart("The form is cut off, has a wrong boundary, or has headers that are too long."),
        Problem.UnknownModel("cells", ["blood-cells"]),
        Problem.NotAcceptable("text/html"),
        Problem.BodyTooSlow(),
        Problem.ImageTooLarge(20L << 20),
        Problem.TooManyPixels("The image has 50000 x 50000 pixels; at most 40000000 are served here."),
        Problem.UnsupportedImageFormat("The bytes are not those of a JPEG, PNG, WebP, GIF, TIFF or AVIF image."),
        Problem.UndecodableImage("The JPEG image is cut off or corrupt."),
        Problem.ModelOutputNotFinite("The model's output 'objectness_p3' holds NaN at position 17: it must be finite everywhere."),
        Problem.ModelFailure("head.onnx failed: …"),
        Problem.InternalError(),
        Problem.QueueFull("256 images wait already, which is the most.", TimeSpan.FromSeconds(3)),
        Problem.ShuttingDown("The service is shutting down."),
        Problem.DeviceLost("The device of model 'blood-cells' was lost."),
        Problem.DeadlinePassed("The deadline of 500 ms cannot be met: with those ahead it would take about 2100 ms."));
}
