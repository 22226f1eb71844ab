using System.Text.Json.Serialization;

namespace Fpn.Client;

/// <summary>What was found in one image.</summary>
public sealed record DetectionResult
{
    /// <summary>Name of the model that answered.</summary>
    public required string Model { get; init; }

    /// <summary>Its version.</summary>
    public required string ModelVersion { get; init; }

    /// <summary>The image that was sent.</summary>
    public required ImageInfo Image { get; init; }

    /// <summary>Best score first, then smaller class number.</summary>
    public required IReadOnlyList<DetectedObject> Detections { get; init; }

    /// <summary>Where the service's time went.</summary>
    public required DetectionTimings Timings { get; init; }

    /// <summary>Images that shared the run.</summary>
    public required int BatchSize { get; init; }

    /// <summary>Views that were merged; null where one look was asked for.</summary>
    public int? Views { get; init; }

    /// <summary>How the detections came about; only with <see cref="DetectOptions.Explain"/>.</summary>
    [JsonPropertyName("explain")]
    public Explanation? Explanation { get; init; }
}

/// <summary>An image as it is displayed, after EXIF orientation.</summary>
public sealed record ImageInfo
{
    /// <summary>Pixels.</summary>
    public required int Width { get; init; }

    /// <summary>Pixels.</summary>
    public required int Height { get; init; }

    /// <summary>The file's format, such as <c>jpeg</c>: detected from the bytes.</summary>
    public required string Format { get; init; }
}

/// <summary>One object.</summary>
public sealed record DetectedObject
{
    /// <summary>Name of the class.</summary>
    public required string Label { get; init; }

    /// <summary>Number of the class, as the model's package counts.</summary>
    public required int ClassId { get; init; }

    /// <summary>0 to 1, five decimals.</summary>
    public required double Score { get; init; }

    /// <summary>Where it is.</summary>
    public required BoundingBox Box { get; init; }

    /// <summary>The pyramid level that the region was pooled from; null for end-to-end models.</summary>
    public string? Level { get; init; }
}

/// <summary>A box in pixels of the image as displayed: pixel i covers [i, i + 1). Three decimals.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Upper edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Lower edge.</param>
public readonly record struct BoundingBox(double X1, double Y1, double X2, double Y2)
{
    /// <summary>Pixels from the left to the right edge.</summary>
    [JsonIgnore]
    public double Width => X2 - X1;

    /// <summary>Pixels from the upper to the lower edge.</summary>
    [JsonIgnore]
    public double Height => Y2 - Y1;
}

/// <summary>Where the service's time went, in milliseconds.</summary>
public sealed record DetectionTimings
{
    /// <summary>Bytes to pixels.</summary>
    public required double DecodeMs { get; init; }

    /// <summary>Resizing and normalizing.</summary>
    public required double PreprocessMs { get; init; }

    /// <summary>All the rest: waiting for memory, a decoder, a batch, the device.</summary>
    public required double QueueMs { get; init; }

    /// <summary>The model's graphs.</summary>
    public required double InferenceMs { get; init; }

    /// <summary>Choice of detections.</summary>
    public required double PostprocessMs { get; init; }

    /// <summary>From the last byte of the body to the answer.</summary>
    public required double TotalMs { get; init; }
}
