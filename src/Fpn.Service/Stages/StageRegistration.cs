using Fpn.Imaging.Decoding;
using Fpn.Service.Annotations;
using Fpn.Service.Answers;
using Fpn.Service.Detect;
using Fpn.Service.Problems;

namespace Fpn.Service.Stages;

/// <summary>The stages of a two-stage model, each asked alone: <c>/proposals</c> and <c>/regions</c>.</summary>
internal static class StageRegistration
{
    /// <summary>Operation id of <c>POST /proposals</c>.</summary>
    public const string ProposalsOperation = "propose";

    /// <summary>Operation id of <c>POST /regions</c>.</summary>
    public const string RegionsOperation = "classifyRegions";

    private const string ProposalsExample = """
        {
          "model": "everyday", "modelVersion": "1",
          "image": { "width": 512, "height": 512, "format": "jpeg" },
          "proposals": [
            {
              "box": { "x1": 36.113, "y1": 21.542, "x2": 391.74, "y2": 503.207 },
              "objectness": 0.99871, "level": "p6"
            }
          ],
          "timings": {
            "decodeMs": 3.2, "preprocessMs": 1.9, "queueMs": 0.4, "inferenceMs": 48.1, "postprocessMs": 0.3,
            "totalMs": 53.9
          },
          "batchSize": 1
        }
        """;

    private const string ProposalsCocoExample = """
        [{ "image_id": 7, "category_id": 1, "bbox": [36.113, 21.542, 355.627, 481.665], "score": 0.99871 }]
        """;

    private const string RegionsExample = """
        {
          "model": "everyday", "modelVersion": "1",
          "image": { "width": 512, "height": 512, "format": "jpeg" },
          "regions": [
            {
              "scores": [
                { "label": "person", "classId": 15, "score": 0.98512 },
                { "label": "tvmonitor", "classId": 20, "score": 0.00231 }
              ],
              "background": 0.01009,
              "box": { "x1": 37.435, "y1": 16.727, "x2": 385.688, "y2": 511.926 },
              "level": "p5"
            },
            { "error": "The box is empty." }
          ],
          "timings": {
            "decodeMs": 3.2, "preprocessMs": 1.9, "queueMs": 0.4, "inferenceMs": 44.7, "postprocessMs": 0.1,
            "totalMs": 50.3
          },
          "batchSize": 1
        }
        """;

    /// <summary>Registers the endpoints.</summary>
    public static WebApplicationBuilder AddStages(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<StageRunner>()
            .AddSingleton<ProposalEndpoint>()
            .AddSingleton<RegionBodyReader>()
            .AddSingleton<RegionEndpoint>();
        return builder;
    }

    /// <summary>Maps the endpoints.</summary>
    public static WebApplication MapStages(this WebApplication app)
    {
        var decoder = app.Services.GetRequiredService<ImageDecoder>();
        app.MapPost("/proposals", (HttpContext context, ProposalEndpoint endpoint) => endpoint.HandleAsync(context))
            .Produces<ProposalsResponse>()
            .WithMetadata(
                new AnswerExample("application/json", ProposalsExample),
                new AnswerExample("application/vnd.coco+json", ProposalsCocoExample),
                ImageProblems.Create(
                    decoder, ProposalQuery.Served, NumberText.NotAFraction("nmsThreshold", "abc")))
            .Detects(
                ProposalsOperation,
                "Proposes regions of an image that may hold an object",
                "The first stage alone (RPN): boxes of no class, best objectness first, in pixels of the image as "
                + "displayed. The second stage does not run. For two-stage models.");
        app.MapPost("/regions", (HttpContext context, RegionEndpoint endpoint) => endpoint.HandleAsync(context))
            .Produces<RegionsResponse>()
            .WithMetadata(
                new AnswerExample("application/json", RegionsExample),
                ImageProblems.Create(
                    decoder, RegionQuery.Served, BoxListReader.NotBoxes(), Problem.TooManyRegions(10_000)))
            .Detects(
                RegionsOperation,
                "Classifies given regions of an image",
                "The second stage alone (Fast R-CNN) on boxes that the request gives, in pixels of the image as "
                + "displayed: in their order, the best classes of each and the box as refined for the best one. A box "
                + "that cannot be classified has an error in its place. For two-stage models.");
        return app;
    }
}
