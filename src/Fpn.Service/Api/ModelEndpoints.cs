using Fpn.Service.Model;

namespace Fpn.Service.Api;

/// <summary><c>GET /models</c> and <c>GET /models/{name}</c>.</summary>
internal static class ModelEndpoints
{
    /// <summary>All models.</summary>
    public static IResult List(ModelCatalog catalog) =>
        Results.Json(new ModelListResponse([.. catalog.Models.Select(model => Describe(model, catalog))]), ApiJsonContext.Default.ModelListResponse);

    /// <summary>One model.</summary>
    public static IResult Get(string name, ModelCatalog catalog) => catalog.TryGet(name, out var model)
        ? Results.Json(Describe(model, catalog), ApiJsonContext.Default.ModelResponse)
        : new ProblemResult(Problem.UnknownModel(name, catalog.Models.Select(known => known.Contract.Name)));

    private static ModelResponse Describe(ModelEntry model, ModelCatalog catalog)
    {
        var contract = model.Contract;
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
            [.. contract.Labels.Select((label, index) => new ClassResponse(label, contract.ClassIds[index]))]);
    }
}
