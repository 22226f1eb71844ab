using System.Text.Json.Serialization;
using Fpn.Models.Detectors;
using Fpn.Models.Packages;

namespace Fpn.Service.Answers;

/// <summary>The answer of <c>/regions</c>.</summary>
/// <param name="Model">Name of the model that answered.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Image">What was sent.</param>
/// <param name="Regions">One for each box, in the order sent.</param>
/// <param name="Timings">Where the time went.</param>
/// <param name="BatchSize">Images that shared the run.</param>
internal sealed record RegionsResponse(
    string Model,
    string ModelVersion,
    ImageResponse Image,
    IReadOnlyList<RegionResponse> Regions,
    TimingsResponse Timings,
    int BatchSize);

/// <summary>What the second stage makes of one box: either all but the error, or the error alone.</summary>
internal sealed record RegionResponse
{
    /// <summary>The best classes that are not background, best first.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<LabelScoreResponse>? Scores { get; init; }

    /// <summary>The score of the background, 0 to 1, five decimals; with those of all classes it makes 1.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Background { get; init; }

    /// <summary>The box as refined for the first of the classes, clipped to the image.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public BoxResponse? Box { get; init; }

    /// <summary>The pyramid level that the region was pooled from.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Level { get; init; }

    /// <summary>Why the box cannot be classified: it is empty, inverted, not finite or outside the image.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Error { get; init; }

    /// <summary>Rounds a region as it is reported.</summary>
    /// <param name="contract">The model; gives classes names.</param>
    /// <param name="region">The region.</param>
    public static RegionResponse Create(ModelContract contract, ClassifiedRegion region) => new()
    {
        Scores = Array.ConvertAll(region.Scores, found => new LabelScoreResponse(
            contract.Labels[found.Label], contract.ClassIds[found.Label], Rounded(found.Score))),
        Background = Rounded(region.Background),
        Box = BoxResponse.FromBox(region.Box),
        Level = region.Level,
    };

    private static double Rounded(float value) => Math.Round((double)value, 5);
}

/// <summary>The score of one class.</summary>
/// <param name="Label">Name of the class.</param>
/// <param name="ClassId">Number of the class, as the model's package counts.</param>
/// <param name="Score">0 to 1, five decimals.</param>
internal sealed record LabelScoreResponse(string Label, int ClassId, double Score);
