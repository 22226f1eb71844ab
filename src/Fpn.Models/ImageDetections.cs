using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Models.Detectors;

namespace Fpn.Models;

/// <summary>What was found in one image.</summary>
public sealed record ImageDetections
{
    /// <summary>Size of the image as displayed: after EXIF orientation.</summary>
    public required ImageSize Size { get; init; }

    /// <summary>The format of the file, detected from its bytes; null where pixels were given.</summary>
    public ImageFormat? Format { get; init; }

    /// <summary>Best score first, then smaller index of the label. Empty where nothing was found.</summary>
    public required IReadOnlyList<LabeledObject> Objects { get; init; }
}

/// <summary>One object.</summary>
public sealed record LabeledObject
{
    /// <summary>Name of the class.</summary>
    public required string Label { get; init; }

    /// <summary>Number of the class as the model's package counts, such as COCO's category id.</summary>
    public required int ClassId { get; init; }

    /// <summary>Softmax score, 0 to 1; greater than <see cref="ModelDescription.ScoreThreshold"/> for two-stage
    /// models.</summary>
    public required float Score { get; init; }

    /// <summary>Where it is: xyxy in pixels of the original image as displayed, clipped to it. Pixel i covers
    /// [i, i + 1).</summary>
    public required Box Box { get; init; }

    /// <summary>Name of the pyramid level that the region was pooled from, such as <c>p3</c>; null for end-to-end
    /// models.</summary>
    public string? Level { get; init; }

    /// <summary>Names a detection's class.</summary>
    /// <param name="detected">The detection.</param>
    /// <param name="label">Name of its class.</param>
    /// <param name="classId">Number of its class.</param>
    internal static LabeledObject Create(DetectedObject detected, string label, int classId) => new()
    {
        Label = label,
        ClassId = classId,
        Score = detected.Score,
        Box = detected.Box,
        Level = detected.Level,
    };
}
