using System.Net.Mime;
using Fpn.Models.Packages;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;
using Fpn.Serving.Telemetry;

namespace Fpn.Service.OpenInference;

/// <summary>Reports what the models have done: the numbers of <c>/metrics</c> in Triton's words.</summary>
internal sealed class ModelStatisticsReport(ServedModels models, LaneRegistry lanes, StatisticsCollector statistics)
{
    private static readonly DurationResponse None = new(0, 0);

    /// <summary><c>GET /v2/models[/{model}[/versions/{version}]]/stats</c>.</summary>
    public IResult Handle(string? model, string? version) =>
        Create(model, version).Succeeded(out var report, out var problem)
            ? Results.Json(
                report, OpenInferenceJsonContext.Readable.StatisticsResponse, MediaTypeNames.Application.Json)
            : new ProblemResult(problem);

    /// <summary>Reports on models.</summary>
    /// <param name="model">Name of a model; null for all that are served.</param>
    /// <param name="version">One of its versions; null for all of them.</param>
    /// <returns>The report, or the problem that the model is not served.</returns>
    public Outcome<StatisticsResponse> Create(string? model, string? version)
    {
        if (model is not null)
        {
            if (!models.Take(model, version).Succeeded(out var use, out var problem))
            {
                return problem;
            }

            use.Dispose();
        }

        return new StatisticsResponse(
        [
            .. lanes.AllLanes
                .Select(lane => lane.Model.Contract)
                .Where(contract => model is null
                    || (contract.Name == model && (version is null || contract.Version == version)))
                .Select(contract => Describe(contract, statistics.TotalsFor(contract))),
        ]);
    }

    private static ModelStatisticsEntry Describe(ModelContract contract, ModelTotals totals) => new(
        contract.Name,
        contract.Version,
        totals.LastRequest,
        totals.Images.Count,
        totals.Runs.Count,
        new InferenceStatisticsResponse(
            Describe(totals.Success),
            Describe(totals.Failure),
            Describe(totals.Queue),
            Describe(totals.Input),
            Describe(totals.Inference),
            Describe(totals.Output),
            CacheHit: None,
            CacheMiss: None),
        [.. totals.Batches.Select(batch => Describe(batch.Key, batch.Value))]);

    private static BatchStatisticsResponse Describe(int size, BatchTotals batches)
    {
        // Each image was measured: with the time of its batch while it was prepared, with its own time afterwards.
        var runs = batches.Runs.Count;
        return new BatchStatisticsResponse(
            size,
            new DurationResponse(runs, batches.Input.Nanoseconds / size),
            Describe(batches.Runs),
            new DurationResponse(runs, batches.Output.Nanoseconds));
    }

    private static DurationResponse Describe(MeasuredTotal total) => new(total.Count, total.Nanoseconds);
}
