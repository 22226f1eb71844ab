using Fpn.Models.Packages;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Repository;

/// <summary><c>GET /models</c> and <c>GET /models/{name}</c>.</summary>
internal static class ModelEndpoints
{
    /// <summary>All models.</summary>
    public static IResult List(LaneRegistry lanes) =>
        Results.Json(new ModelListResponse([.. lanes.Lanes.Select(lane => Describe(lane, lanes))]), ModelJsonContext.Readable.ModelListResponse);

    /// <summary>One model.</summary>
    public static IResult Get(string name, LaneRegistry lanes) => lanes.Lanes.FirstOrDefault(lane => lane.Model.Contract.Name == name) is { } lane
        ? Results.Json(Describe(lane, lanes), ModelJsonContext.Readable.ModelResponse)
        : new ProblemResult(Problem.UnknownModel(name, lanes.Names));

    private static ModelResponse Describe(ModelLane lane, LaneRegistry lanes)
    {
        var contract = lane.Model.Contract;
        return new ModelResponse(
            contract.Name,
            contract.Version,
            contract.Name == lanes.DefaultModel,
            contract.Layout == ModelLayout.TwoStage ? "two-stage" : "end-to-end",
            contract.Convention.ToString().ToLowerInvariant(),
            contract.Description,
            contract.License,
            contract.Source,
            new ModelInputResponse(contract.Input.MinSize, contract.Input.MaxSize),
            Math.Round((double)contract.RoiHeads.ScoreThreshold, 6),
            contract.RoiHeads.DetectionsPerImage,
            [.. contract.Labels.Select((label, index) => new ClassResponse(label, contract.ClassIds[index]))],
            new ModelExecutionResponse(lanes.Device.ProviderName, lanes.Device.Name, lanes.Device.Reason),
            new ModelBatchingResponse(
                lane.Batcher.MaxBatchSize,
                [.. lane.Buckets.Sizes.Select(size => size.ToString())],
                lane.Model.HasFixedShapes,
                [.. lane.Curve.Select(point => new BatchTimingResponse(point.BatchSize, Math.Round(point.ImagesPerSecond, 2)))]));
    }
}
