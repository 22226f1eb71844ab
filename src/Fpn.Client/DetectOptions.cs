namespace Fpn.Client;

/// <summary>What is asked of one call; everything left out has the service's default.</summary>
public sealed record DetectOptions
{
    /// <summary>Name of the model; null asks the default one.</summary>
    public string? Model { get; init; }

    /// <summary>0 to 1: keeps detections with a score of at least this. Below the model's own threshold it has no
    /// effect.</summary>
    public double? ScoreThreshold { get; init; }

    /// <summary>Keeps the best ones only; at least 1.</summary>
    public int? MaxDetections { get; init; }

    /// <summary>Keeps detections of these classes, after all other filters; null or empty keeps all classes.</summary>
    public IReadOnlyCollection<string>? Labels { get; init; }

    /// <summary>Names the image in <see cref="OutputFormat.Coco"/> and <see cref="OutputFormat.Voc"/>; at least
    /// 0.</summary>
    public long? ImageId { get; init; }

    /// <summary>Asks for <see cref="DetectionResult.Explanation"/>, which two-stage models can give.</summary>
    public bool Explain { get; init; }

    /// <summary>Which looks are taken at the image; null for those of the model's package.</summary>
    public ViewOptions? Views { get; init; }

    /// <summary>Who goes first while requests wait; null leaves the key's default.</summary>
    public DetectPriority? Priority { get; init; }

    /// <summary>How long the answer is worth waiting for, from the last byte of the image on, in whole milliseconds and
    /// at least one; the service's own deadline is the upper limit. Passing it is a 504.</summary>
    public TimeSpan? Deadline { get; init; }
}

/// <summary>Who goes first while requests wait for the device.</summary>
public enum DetectPriority
{
    /// <summary>After all others.</summary>
    Low,

    /// <summary>The service's default.</summary>
    Normal,

    /// <summary>Before all others; not every key may ask for it.</summary>
    High,
}

/// <summary>Which looks the service takes at an image, and how it merges what they show; everything left out is as the
/// model's package has it, which is one look unless it says otherwise.</summary>
public sealed record ViewOptions
{
    /// <summary>Height and width of slices, in pixels of the image; null does not ask for any.</summary>
    public (int Height, int Width)? Slice { get; init; }

    /// <summary>The part of a slice that its neighbor shows, too, at least: 0 to 0.9.</summary>
    public double? Overlap { get; init; }

    /// <summary>Whether slices are joined by a look at the whole image.</summary>
    public bool? WholeImage { get; init; }

    /// <summary>Shorter sides after resizing, in pixels, each a look at every slice or at the image.</summary>
    public IReadOnlyCollection<int>? Scales { get; init; }

    /// <summary>Whether every look is taken a second time, mirrored.</summary>
    public bool? Flip { get; init; }

    /// <summary>How detections of several views become one list.</summary>
    public MergeMethod? Merge { get; init; }

    /// <summary>The overlap that merging acts upon, 0 to 1.</summary>
    public double? MergeThreshold { get; init; }
}

/// <summary>How detections of several views become one list.</summary>
public enum MergeMethod
{
    /// <summary>Of two boxes that overlap, the better one stays.</summary>
    Nms,

    /// <summary>What stays is the average of the boxes that overlap it, weighted by their scores.</summary>
    Voting,

    /// <summary>The intersection is compared with the smaller box, and what a slice cut is joined.</summary>
    Ios,
}
