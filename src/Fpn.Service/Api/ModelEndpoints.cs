using Fpn.Service.Batching;
using Fpn.Service.Model;

namespace Fpn.Service.Api;

/// <summary><c>GET /models</c> and <c>GET /models/{name}</c>.</summary>
internal static class ModelEndpoints
{
    /// <summary>All models.</summary>
    public static IResult List(ModelCatalog catalog, LaneRegistry lanes) =>
        Results.Json(new ModelListResponse([.. catalog.Models.Select(model => Describe(model, catalog, lanes))]), ApiJsonContext.Default.ModelListResponse);

    /// <summary>One model.</summary>
    public static IResult Get(string name, ModelCatalog catalog, LaneRegistry lanes) => catalog.TryGet(name, out var model)
        ? Results.Json(Describe(model, catalog, lanes), ApiJsonContext.Default.ModelResponse)
        : new ProblemResult(Problem.UnknownModel(name, catalog.Models.Select(known => known.Contract.Name)));

    private static ModelResponse Describe(ModelEntry model, ModelCatalog catalog, LaneRegistry lanes)
    {
        var contract = model.Contract;
        var lane = lanes.Of(model);
        return new ModelResponse(
            contract.Name,
            contract.Version,
            model == catalog.Default,
            contract.Layout == ModelLayout.TwoStage ? "two-stage" : "end-to-end",
            contract.Convention.ToString().ToLowerInvariant(),
            contract.Description,
            contract.License,
            contract.Source,
            new ModelInputResponse(contract.Input.MinSize, contract.Input.MaxSize),
            Math.Round((double)contract.RoiHeads.ScoreThreshold, 6),
            contract.RoiHeads.DetectionsPerImage,
            [.. contract.Labels.Select((label, index) => new ClassResponse(label, contract.ClassIds[index]))],
            new ModelBatchingResponse(
                lane.Batcher.MaxBatchSize,
                [.. lane.Buckets.Sizes.Select(size => size.ToString())],
                [.. lane.Curve.Select(point => new BatchTimingResponse(point.BatchSize, Math.Round(point.ImagesPerSecond, 2)))]));
    }
}
