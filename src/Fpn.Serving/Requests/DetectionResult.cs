using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Models.Detectors;

namespace Fpn.Serving.Requests;

/// <summary>What was found in one image.</summary>
public sealed record DetectionResult
{
    /// <summary>The detections, best first.</summary>
    public IReadOnlyList<DetectedObject> Detections { get; init; } = [];

    /// <summary>How they came about, where the request asked for it; otherwise null.</summary>
    public Explanation? Explanation { get; init; }

    /// <summary>Size of the image as displayed, in pixels.</summary>
    public ImageSize Size { get; init; }

    /// <summary>Format of the image file.</summary>
    public ImageFormat Format { get; init; }

    /// <summary>Where the time went.</summary>
    public StageTimes Times { get; init; }

    /// <summary>Images that shared the run.</summary>
    public int BatchSize { get; init; }
}
