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
            .WithName(DetectOperation)
            .WithTags("Detection")
            .WithSummary("Finds objects in an image")
            .WithDescription(
                "Boxes are xyxy in pixels of the image as displayed (after EXIF orientation), best score first.")
            .Produces<DetectionResponse>()
            .WithMetadata(
                ImageProblems.Create(
                    decoder,
                    FormatNegotiation.Served,
                    NumberText.NotAFraction("scoreThreshold", "abc"),
                    FailureExamples.TooManyViews()))
            .RequireScope(KeyScope.Detect);
        app.MapPost("/detect/batch", (HttpContext context, BatchEndpoint endpoint) => endpoint.HandleAsync(context))
            .WithName(BatchOperation)
            .WithTags("Detection")
            .WithSummary("Finds objects in several images")
            .WithDescription(
                "Answers in the order sent. An image that fails has its problem in its place; the others are answered.")
            .WithMetadata(BatchProblems())
            .RequireScope(KeyScope.Detect);
        return app;
    }

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
