using System.Text.Json;
using System.Text.Json.Serialization;
using Fpn.Detection.Geometry;
using Fpn.Service.Formats;
using Fpn.Service.Problems;
using Microsoft.AspNetCore.Mvc;

namespace Fpn.Service.Answers;

/// <summary>The answer of <c>/detect</c>.</summary>
/// <param name="Model">Name of the model that answered.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Image">What was sent.</param>
/// <param name="Detections">Best score first, then smaller classId, then proposal order.</param>
/// <param name="Timings">Where the time went.</param>
/// <param name="BatchSize">Images that shared the run.</param>
internal sealed record DetectionResponse(
    string Model, string ModelVersion, ImageResponse Image, IReadOnlyList<DetectedObjectResponse> Detections, TimingsResponse Timings, int BatchSize)
{
    /// <summary>How the detections came about; only with <c>explain=true</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ExplanationResponse? Explain { get; init; }
}

/// <summary>The image as it is displayed, after EXIF orientation.</summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Format">jpeg, png, webp, gif, tiff or avif: told from the bytes.</param>
internal sealed record ImageResponse(int Width, int Height, string Format);

/// <summary>One detection.</summary>
/// <param name="Label">Name of the class.</param>
/// <param name="ClassId">Number of the class, as the model's package counts.</param>
/// <param name="Score">0 to 1, five decimals.</param>
/// <param name="Box">Where it is.</param>
/// <param name="Level">The pyramid level that the region was pooled from; absent for end-to-end models.</param>
internal sealed record DetectedObjectResponse(
    string Label, int ClassId, double Score, BoxResponse Box, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Level);

/// <summary>Corners in pixels of the image as displayed; pixel i covers [i, i + 1); three decimals.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Upper edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Lower edge.</param>
internal sealed record BoxResponse(double X1, double Y1, double X2, double Y2)
{
    /// <summary>Rounds a box as it is reported.</summary>
    public static BoxResponse Of(in Box box) => new(Coordinate(box.X1), Coordinate(box.Y1), Coordinate(box.X2), Coordinate(box.Y2));

    private static double Coordinate(float value) => Math.Round((double)value, 3);
}

/// <summary>Where the time of one request went, in milliseconds.</summary>
/// <param name="DecodeMs">Bytes to pixels.</param>
/// <param name="PreprocessMs">Resizing and normalising.</param>
/// <param name="QueueMs">All the rest: waiting for memory, a decoder, a batch, the device.</param>
/// <param name="InferenceMs">Both graphs and the choice of proposals between them.</param>
/// <param name="PostprocessMs">Choice of detections.</param>
/// <param name="TotalMs">From the last byte of the body to the answer.</param>
internal sealed record TimingsResponse(double DecodeMs, double PreprocessMs, double QueueMs, double InferenceMs, double PostprocessMs, double TotalMs);

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

/// <summary>Serialisation without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.Never)]
[JsonSerializable(typeof(DetectionResponse))]
[JsonSerializable(typeof(ModelResponse))]
[JsonSerializable(typeof(ModelListResponse))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(CocoResponse[]))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(long))]
internal sealed partial class ApiJsonContext : JsonSerializerContext
{
    /// <summary>The context that everything is written with.</summary>
    public static ApiJsonContext Readable =>
        field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = ReadableEncoder.Instance });
}
