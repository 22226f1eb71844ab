using System.Text.Json.Serialization;
using Fpn.Detection.Geometry;

namespace Fpn.Service.Answers;

/// <summary>The answer of <c>/detect</c>.</summary>
/// <param name="Model">Name of the model that answered.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Image">What was sent.</param>
/// <param name="Detections">Best score first, then smaller classId, then proposal order.</param>
/// <param name="Timings">Where the time went.</param>
/// <param name="BatchSize">Images that shared the run.</param>
internal sealed record DetectionResponse(
    string Model,
    string ModelVersion,
    ImageResponse Image,
    IReadOnlyList<DetectedObjectResponse> Detections,
    TimingsResponse Timings,
    int BatchSize)
{
    /// <summary>How many views of the image were merged; only where more than one look was asked for.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Views { get; init; }

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
    string Label,
    int ClassId,
    double Score,
    BoxResponse Box,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Level);

/// <summary>Corners in pixels of the image as displayed; pixel i covers [i, i + 1); three decimals.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Upper edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Lower edge.</param>
internal sealed record BoxResponse(double X1, double Y1, double X2, double Y2)
{
    /// <summary>Rounds a box as it is reported.</summary>
    public static BoxResponse FromBox(in Box box) =>
        new(Coordinate(box.X1), Coordinate(box.Y1), Coordinate(box.X2), Coordinate(box.Y2));

    private static double Coordinate(float value) => Math.Round((double)value, 3);
}

/// <summary>Where the time of one request went, in milliseconds.</summary>
/// <param name="DecodeMs">Bytes to pixels.</param>
/// <param name="PreprocessMs">Resizing and normalising.</param>
/// <param name="QueueMs">All the rest: waiting for memory, a decoder, a batch, the device.</param>
/// <param name="InferenceMs">Both graphs and the choice of proposals between them.</param>
/// <param name="PostprocessMs">Choice of detections.</param>
/// <param name="TotalMs">From the last byte of the body to the answer.</param>
internal sealed record TimingsResponse(
    double DecodeMs,
    double PreprocessMs,
    double QueueMs,
    double InferenceMs,
    double PostprocessMs,
    double TotalMs);
