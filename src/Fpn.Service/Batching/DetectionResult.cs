using Fpn.Detection.Imaging;
using Fpn.Service.Imaging;
using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>What became of one image: detections, or the reason why it could not be decoded.</summary>
internal sealed record DetectionResult
{
    /// <summary>Best first; empty when <see cref="Failure"/> is set.</summary>
    public IReadOnlyList<DetectedObject> Detections { get; init; } = [];

    /// <summary>Size of the image as displayed.</summary>
    public ImageSize Size { get; init; }

    /// <summary>What the image was encoded as.</summary>
    public ImageFormat Format { get; init; }

    /// <summary>Where the time went.</summary>
    public StageTimes Times { get; init; }

    /// <summary>Images that shared the run.</summary>
    public int BatchSize { get; init; }

    /// <summary>Why the image could not be decoded, if it could not.</summary>
    public DecodeFailure? Failure { get; init; }

    /// <summary>The failure in words.</summary>
    public string? FailureDetail { get; init; }
}
