namespace Fpn.Client;

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
