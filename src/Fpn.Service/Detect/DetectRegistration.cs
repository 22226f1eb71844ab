using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Bodies;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Fpn.Service.Security;

namespace Fpn.Service.Detect;

/// <summary><c>/detect</c> and <c>/detect/batch</c>.</summary>
internal static class DetectRegistration
{
    /// <summary>Operation id of <c>POST /detect</c>.</summary>
    public const string DetectOperation = "detect";

    /// <summary>Operation id of <c>POST /detect/batch</c>.</summary>
    public const string BatchOperation = "detectBatch";

    /// <summary>Registers the endpoints.</summary>
    public static WebApplicationBuilder AddDetect(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<PicturePainter>()
            .AddSingleton<BatchBodyReader>()
            .AddSingleton<SideBySide>()
            .AddSingleton<DetectionEndpoint>()
            .AddSingleton<BatchEndpoint>();
        return builder;
    }

    /// <summary>Maps the endpoints.</summary>
    public static WebApplication MapDetect(this WebApplication app)
    {
        var decoder = app.Services.GetRequiredService<ImageDecoder>();
        app.MapPost("/detect", (HttpContext context, DetectionEndpoint endpoint) => endpoint.HandleAsync(context))
            .Produces<DetectionResponse>()
            .WithMetadata(
                ImageProblems.Create(
                    decoder,
                    FormatNegotiation.Served,
                    NumberText.NotAFraction("scoreThreshold", "abc"),
                    FailureExamples.TooManyViews()))
            .Detects(
                DetectOperation,
                "Finds objects in an image",
                "Boxes are xyxy in pixels of the image as displayed (after EXIF orientation), best score first.");
        app.MapPost("/detect/batch", (HttpContext context, BatchEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithMetadata(BatchProblems())
            .Detects(
                BatchOperation,
                "Finds objects in several images",
                "Answers in the order sent. An image that fails has its problem in its place; "
                + "the others are answered.");
        return app;
    }

    /// <summary>What holds for every endpoint that sends images through a model.</summary>
    /// <param name="endpoint">The endpoint.</param>
    /// <param name="operation">Its operation id.</param>
    /// <param name="summary">For the OpenAPI document.</param>
    /// <param name="description">For the OpenAPI document.</param>
    public static RouteHandlerBuilder Detects(
        this RouteHandlerBuilder endpoint, string operation, string summary, string description) => endpoint
        .WithName(operation)
        .WithTags("Detection")
        .WithSummary(summary)
        .WithDescription(description)
        .RequireScope(KeyScope.Detect);

    private static ProblemsMetadata BatchProblems() => new(
        MultipartForm.Without(BatchBodyReader.PartName),
        NumberText.NotAFraction("scoreThreshold", "abc"),
        MultipartForm.Broken(),
        Problem.UnknownModel("pets", ["everyday", "blood-cells"]),
        FormatNegotiation.Excluded("text/html"),
        Problem.BodyTooSlow(),
        Problem.TooManyBatchImages(64),
        Problem.InternalError(),
        BodyWait.Unarrived());
}
