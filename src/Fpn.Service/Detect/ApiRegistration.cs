using Fpn.Imaging.Decoding;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Notes;
using Fpn.Service.OpenInference;
using Fpn.Service.Problems;
using Fpn.Service.Repository;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Detect;

/// <summary>The HTTP side: endpoints, limits, problems.</summary>
internal static class ApiRegistration
{
    /// <summary>Operation id of <c>POST /detect</c>.</summary>
    public const string DetectOperation = "detect";

    /// <summary>Operation id of <c>POST /detect/batch</c>.</summary>
    public const string BatchOperation = "detectBatch";

    private const string ModelExample = """
        {
          "name": "everyday", "version": "1", "isDefault": true, "layout": "two-stage", "convention": "torchvision",
          "description": "Everyday photographs, the 20 classes of Pascal VOC", "license": "MIT", "source": null,
          "input": { "minSize": 384, "maxSize": 640 }, "scoreThreshold": 0.05, "maxDetections": 100,
          "classes": [
            { "label": "aeroplane", "classId": 1 }, { "label": "bicycle", "classId": 2 }, { "label": "bird", "classId": 3 },
            { "label": "boat", "classId": 4 }, { "label": "bottle", "classId": 5 }, { "label": "bus", "classId": 6 },
            { "label": "car", "classId": 7 }, { "label": "cat", "classId": 8 }, { "label": "chair", "classId": 9 },
            { "label": "cow", "classId": 10 }, { "label": "diningtable", "classId": 11 }, { "label": "dog", "classId": 12 },
            { "label": "horse", "classId": 13 }, { "label": "motorbike", "classId": 14 }, { "label": "person", "classId": 15 },
            { "label": "pottedplant", "classId": 16 }, { "label": "sheep", "classId": 17 }, { "label": "sofa", "classId": 18 },
            { "label": "train", "classId": 19 }, { "label": "tvmonitor", "classId": 20 }
          ],
          "execution": { "provider": "cpu", "device": "CPU, 8 threads", "reason": "setting 'Fpn:Execution:Provider' is 'cpu'" },
          "batching": { "maxBatchSize": 1, "buckets": [], "fixedShapes": false, "curve": [{ "batchSize": 1, "imagesPerSecond": 15.2 }] }
        }
        """;

    /// <summary>Registers what the endpoints need.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        services.ConfigureHttpJsonOptions(options =>
        {
            options.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJsonContext.Default);
            options.SerializerOptions.Encoder = ReadableEncoder.Instance;
        });
        services.AddExceptionHandler<FailureHandler>();
        services.AddSingleton<BodyMemory>();
        services.AddSingleton<ImageBodyReader>();
        services.AddSingleton<BodyWait>();
        services.AddSingleton<BatchBodyReader>();
        services.AddSingleton<PicturePainter>();
        services.AddSingleton<DetectionEndpoint>();
        services.AddSingleton<BatchEndpoint>();
        services.AddSingleton<RepositoryEndpoints>();
        return services.AddOpenInference();
    }

    /// <summary>Lets clients that still send read their answer.</summary>
    public static WebApplication UseUnreadBodies(this WebApplication app)
    {
        app.UseMiddleware<UnreadBodies>();
        return app;
    }

    /// <summary>Chooses endpoints; those of GET serve HEAD, too.</summary>
    public static WebApplication UseEndpointRouting(this WebApplication app)
    {
        app.UseMiddleware<HeadRequests>();
        app.UseRouting();
        return app;
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
                StatusCodes.Status404NotFound => Problem.NotFound(http.Request),
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
        var decoder = app.Services.GetRequiredService<ImageDecoder>();
        app.MapPost("/detect", (HttpContext context, DetectionEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithName(DetectOperation)
            .WithTags("Detection")
            .WithSummary("Finds objects in an image")
            .WithDescription("Boxes are xyxy in pixels of the image as displayed (after EXIF orientation), best score first.")
            .Produces<DetectionResponse>()
            .WithMetadata(DetectProblems(decoder))
            .RequireScope(KeyScope.Detect);
        app.MapPost("/detect/batch", (HttpContext context, BatchEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithName(BatchOperation)
            .WithTags("Detection")
            .WithSummary("Finds objects in several images")
            .WithDescription(
                "Answers in the order sent. An image that fails has its problem in its place; the others are answered.")
            .WithMetadata(BatchProblems())
            .RequireScope(KeyScope.Detect);
        app.MapGet("/models", (LaneRegistry lanes) => ModelEndpoints.List(lanes))
            .WithName("listModels")
            .WithTags("Models")
            .WithSummary("Lists the models that are served")
            .WithDescription("The default model first, then by name.")
            .Produces<ModelListResponse>()
            .WithMetadata(new AnswerExample("application/json", $$"""{ "models": [{{ModelExample}}] }"""))
            .RequireScope(KeyScope.Detect);
        app.MapGet("/models/{name}", (string name, LaneRegistry lanes) => ModelEndpoints.Get(name, lanes))
            .WithName("getModel")
            .WithTags("Models")
            .WithSummary("Describes one model")
            .WithDescription("Its input rule, thresholds, labels, and how requests for it are batched.")
            .Produces<ModelResponse>()
            .WithMetadata(new AnswerExample("application/json", ModelExample))
            .WithMetadata(new PathParameterNote("name", "Name of the model."))
            .WithMetadata(new ProblemsMetadata(Problem.UnknownModel("pets", ["everyday", "blood-cells"])))
            .RequireScope(KeyScope.Detect);
        app.MapOpenInference(decoder);
        app.MapRepository();
        return app;
    }

    private static ProblemsMetadata DetectProblems(ImageDecoder decoder) => new(
        ImageBodyReader.Empty(ImageBodyReader.PartName),
        ImageBodyReader.SecondImage(),
        DetectionFilter.NotAScore("scoreThreshold", "abc"),
        MultipartForm.Broken(),
        Problem.UnknownModel("pets", ["everyday", "blood-cells"]),
        FormatNegotiation.Excluded("text/html"),
        Problem.BodyTooSlow(),
        Problem.ImageTooLarge(20L << 20),
        FailureExamples.TooManyPixels(decoder),
        FailureExamples.UnsupportedImageFormat(decoder),
        FailureExamples.UndecodableImage(),
        FailureExamples.ModelOutputNotFinite(),
        FailureExamples.ModelFailure(),
        Problem.InternalError(),
        FailureExamples.QueueFull(),
        FailureExamples.ShuttingDown(),
        FailureExamples.DeviceLost(),
        FailureExamples.DeadlineOutOfReach());

    private static ProblemsMetadata BatchProblems() => new(
        MultipartForm.Without(BatchBodyReader.PartName),
        DetectionFilter.NotAScore("scoreThreshold", "abc"),
        MultipartForm.Broken(),
        Problem.UnknownModel("pets", ["everyday", "blood-cells"]),
        FormatNegotiation.Excluded("text/html"),
        Problem.BodyTooSlow(),
        Problem.TooManyBatchImages(64),
        Problem.InternalError(),
        BodyWait.Unarrived());
}
