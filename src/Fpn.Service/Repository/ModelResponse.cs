using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Service.Problems;

namespace Fpn.Service.Repository;

/// <summary>A model that is served.</summary>
/// <param name="Name">Its name; the value of <c>model</c>.</param>
/// <param name="Version">Its version.</param>
/// <param name="IsDefault">Whether it answers requests that name no model.</param>
/// <param name="Layout">two-stage or end-to-end.</param>
/// <param name="Convention">torchvision or detectron2: whose arithmetic it was trained with.</param>
/// <param name="Description">One sentence.</param>
/// <param name="License">Licence of the weights.</param>
/// <param name="Source">Where they come from.</param>
/// <param name="Input">How images are resized.</param>
/// <param name="ScoreThreshold">Detections below it are never returned.</param>
/// <param name="MaxDetections">Detections an image at most.</param>
/// <param name="Classes">Labels and their numbers.</param>
/// <param name="Execution">What the model runs on.</param>
/// <param name="Batching">How requests share the device.</param>
internal sealed record ModelResponse(
    string Name,
    string Version,
    bool IsDefault,
    string Layout,
    string Convention,
    string? Description,
    string? License,
    string? Source,
    ModelInputResponse Input,
    double ScoreThreshold,
    int MaxDetections,
    IReadOnlyList<ClassResponse> Classes,
    ModelExecutionResponse Execution,
    ModelBatchingResponse Batching);

/// <summary>What a model runs on.</summary>
/// <param name="Provider"><c>cpu</c> or <c>cuda</c>.</param>
/// <param name="Device">The processor or GPU.</param>
/// <param name="Reason">Why this one.</param>
internal sealed record ModelExecutionResponse(string Provider, string Device, string Reason);

/// <summary>How images are resized before they are fed.</summary>
/// <param name="MinSize">The shorter side afterwards, in pixels, unless the longer one forbids it.</param>
/// <param name="MaxSize">The longer side afterwards at most, in pixels.</param>
internal sealed record ModelInputResponse(int MinSize, int MaxSize);

/// <summary>A class that a model knows.</summary>
/// <param name="Label">Its name.</param>
/// <param name="ClassId">Its number.</param>
internal sealed record ClassResponse(string Label, int ClassId);

/// <summary>How requests for a model share the device.</summary>
/// <param name="MaxBatchSize">Images in a batch at most: set, or the size beyond which throughput gained less than 5 %.</param>
/// <param name="Buckets">Sizes that batches are padded to, height x width; empty when every image keeps its own.</param>
/// <param name="FixedShapes">Whether batches are filled up to a few sizes, all of which were tried at start.</param>
/// <param name="Curve">What was measured at start; empty when the batch size was set.</param>
internal sealed record ModelBatchingResponse(
    int MaxBatchSize, IReadOnlyList<string> Buckets, bool FixedShapes, IReadOnlyList<BatchTimingResponse> Curve);

/// <summary>One measured batch size.</summary>
/// <param name="BatchSize">Images in a batch.</param>
/// <param name="ImagesPerSecond">Throughput of the graphs with it.</param>
internal sealed record BatchTimingResponse(int BatchSize, double ImagesPerSecond);

/// <summary>All models that are served.</summary>
/// <param name="Models">The default one first, then by name.</param>
internal sealed record ModelListResponse(IReadOnlyList<ModelResponse> Models);

/// <summary>Serializes models without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ModelResponse))]
[JsonSerializable(typeof(ModelListResponse))]
internal sealed partial class ModelJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static ModelJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
