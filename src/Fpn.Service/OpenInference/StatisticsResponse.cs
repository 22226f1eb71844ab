using System.Text.Json.Serialization;

namespace Fpn.Service.OpenInference;

/// <summary>What models have done, in the form of Triton's statistics extension.</summary>
/// <param name="ModelStats">An entry for each model that was asked about.</param>
internal sealed record StatisticsResponse(
    [property: JsonPropertyName("model_stats")] IReadOnlyList<ModelStatisticsEntry> ModelStats);

/// <summary>What one model has done since the process began. An image counts as a request of its own.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Version">Its version.</param>
/// <param name="LastInference">When an image was answered last: milliseconds since 1970; 0 for never.</param>
/// <param name="InferenceCount">Images that went through the model.</param>
/// <param name="ExecutionCount">Runs of the model.</param>
/// <param name="InferenceStats">Where the time of the images went.</param>
/// <param name="BatchStats">Where the time of the batches went, by their size; sizes that were met.</param>
internal sealed record ModelStatisticsEntry(
    string Name,
    string Version,
    [property: JsonPropertyName("last_inference")] long LastInference,
    [property: JsonPropertyName("inference_count")] long InferenceCount,
    [property: JsonPropertyName("execution_count")] long ExecutionCount,
    [property: JsonPropertyName("inference_stats")] InferenceStatisticsResponse InferenceStats,
    [property: JsonPropertyName("batch_stats")] IReadOnlyList<BatchStatisticsResponse> BatchStats);

/// <summary>Where the time of images went.</summary>
/// <param name="Success">Images that were answered, from their last byte to their detections.</param>
/// <param name="Fail">Images that were not, for whatever reason; they are counted and not timed.</param>
/// <param name="Queue">All waiting: for memory, a decoder, a batch, the device.</param>
/// <param name="ComputeInput">Decoding, resizing, normalizing.</param>
/// <param name="ComputeInfer">The model's run, in full for each of its images.</param>
/// <param name="ComputeOutput">The choice of detections.</param>
/// <param name="CacheHit">Zeros: there is no cache of answers.</param>
/// <param name="CacheMiss">Zeros.</param>
internal sealed record InferenceStatisticsResponse(
    DurationResponse Success,
    DurationResponse Fail,
    DurationResponse Queue,
    [property: JsonPropertyName("compute_input")] DurationResponse ComputeInput,
    [property: JsonPropertyName("compute_infer")] DurationResponse ComputeInfer,
    [property: JsonPropertyName("compute_output")] DurationResponse ComputeOutput,
    [property: JsonPropertyName("cache_hit")] DurationResponse CacheHit,
    [property: JsonPropertyName("cache_miss")] DurationResponse CacheMiss);

/// <summary>Where the time of batches of one size went.</summary>
/// <param name="BatchSize">Images that shared a run.</param>
/// <param name="ComputeInput">Resizing and normalizing.</param>
/// <param name="ComputeInfer">The model's runs.</param>
/// <param name="ComputeOutput">The choice of detections for all images of a batch.</param>
internal sealed record BatchStatisticsResponse(
    [property: JsonPropertyName("batch_size")] int BatchSize,
    [property: JsonPropertyName("compute_input")] DurationResponse ComputeInput,
    [property: JsonPropertyName("compute_infer")] DurationResponse ComputeInfer,
    [property: JsonPropertyName("compute_output")] DurationResponse ComputeOutput);

/// <summary>How often something was done, and how long it took altogether.</summary>
/// <param name="Count">How often.</param>
/// <param name="Ns">Nanoseconds.</param>
internal sealed record DurationResponse(long Count, long Ns);
