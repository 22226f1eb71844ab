using Fpn.Service.OpenInference;

namespace Fpn.Service.OpenInferenceGrpc;

/// <summary>Writes what models have done as messages.</summary>
internal static class StatisticsAnswer
{
    /// <summary>Writes a report.</summary>
    public static ModelStatisticsResponse Create(StatisticsResponse report) =>
        new() { ModelStats = { report.ModelStats.Select(Create) } };

    private static ModelStatistics Create(ModelStatisticsEntry model) => new()
    {
        Name = model.Name,
        Version = model.Version,
        LastInference = (ulong)model.LastInference,
        InferenceCount = (ulong)model.InferenceCount,
        ExecutionCount = (ulong)model.ExecutionCount,
        InferenceStats = new InferStatistics
        {
            Success = Create(model.InferenceStats.Success),
            Fail = Create(model.InferenceStats.Fail),
            Queue = Create(model.InferenceStats.Queue),
            ComputeInput = Create(model.InferenceStats.ComputeInput),
            ComputeInfer = Create(model.InferenceStats.ComputeInfer),
            ComputeOutput = Create(model.InferenceStats.ComputeOutput),
            CacheHit = Create(model.InferenceStats.CacheHit),
            CacheMiss = Create(model.InferenceStats.CacheMiss),
        },
        BatchStats =
        {
            model.BatchStats.Select(batch => new InferBatchStatistics
            {
                BatchSize = (ulong)batch.BatchSize,
                ComputeInput = Create(batch.ComputeInput),
                ComputeInfer = Create(batch.ComputeInfer),
                ComputeOutput = Create(batch.ComputeOutput),
            }),
        },
    };

    private static StatisticDuration Create(DurationResponse duration) =>
        new() { Count = (ulong)duration.Count, Ns = (ulong)duration.Ns };
}
