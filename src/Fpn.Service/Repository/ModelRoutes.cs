using Fpn.Service.Annotations;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Repository;

/// <summary>Maps <c>/models</c>.</summary>
internal static class ModelRoutes
{
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

    /// <summary>Maps the list of models and the page of one.</summary>
    public static void MapModels(this IEndpointRouteBuilder app)
    {
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
    }
}
