using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Decoding;
using Fpn.Models.Detectors;

namespace Fpn.Serving.Requests;

/// <summary>Why an image was not answered with detections.</summary>
internal enum DetectionFailure
{
    /// <summary>Not a format that is served.</summary>
    UnsupportedFormat,

    /// <summary>More pixels than allowed.</summary>
    TooManyPixels,

    /// <summary>Cut off, corrupt or zero-sized.</summary>
    Undecodable,

    /// <summary>As many requests wait as may.</summary>
    QueueFull,

    /// <summary>The deadline passed, or cannot be met.</summary>
    DeadlinePassed,

    /// <summary>The service ended first.</summary>
    ShuttingDown,

    /// <summary>The device failed.</summary>
    DeviceLost,

    /// <summary>An explanation was asked of a model that has none.</summary>
    NotExplainable,
}

/// <summary>What became of one image: detections, or the reason why there are none.</summary>
internal sealed record DetectionResult
{
    /// <summary>Best first; empty when <see cref="Failure"/> is set.</summary>
    public IReadOnlyList<DetectedObject> Detections { get; init; } = [];

    /// <summary>How they came about, for those who asked.</summary>
    public Explanation? Explanation { get; init; }

    /// <summary>Size of the image as displayed.</summary>
    public ImageSize Size { get; init; }

    /// <summary>What the image was encoded as.</summary>
    public ImageFormat Format { get; init; }

    /// <summary>Where the time went.</summary>
    public StageTimes Times { get; init; }

    /// <summary>Images that shared the run.</summary>
    public int BatchSize { get; init; }

    /// <summary>Why there are no detections, if there are none to give.</summary>
    public DetectionFailure? Failure { get; init; }

    /// <summary>The failure in words.</summary>
    public string FailureDetail { get; init; } = string.Empty;

    /// <summary>When another try is worth while, if that is known.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>A result without detections.</summary>
    public static DetectionResult Failed(DetectionFailure failure, string detail, TimeSpan? retryAfter = null) =>
        new() { Failure = failure, FailureDetail = detail, RetryAfter = retryAfter };

    /// <summary>The result where as many images wait as may.</summary>
    /// <param name="capacity">As many as may.</param>
    /// <param name="expected">Time until those are answered.</param>
    public static DetectionResult QueueFull(int capacity, TimeSpan expected) =>
        Failed(DetectionFailure.QueueFull, $"{capacity} images wait already, which is the most.", expected);

    /// <summary>The result where those ahead take too long.</summary>
    /// <param name="deadline">The request's.</param>
    /// <param name="expected">Time until it would be answered.</param>
    public static DetectionResult DeadlineOutOfReach(TimeSpan deadline, TimeSpan expected) => Failed(
        DetectionFailure.DeadlinePassed,
        string.Create(CultureInfo.InvariantCulture, $"The deadline of {deadline.TotalMilliseconds:F0} ms cannot be met: with those ahead it would take about {expected.TotalMilliseconds:F0} ms."),
        expected);

    /// <summary>The result of a request that was not answered in time.</summary>
    /// <param name="deadline">The request's.</param>
    /// <param name="expected">Time until those ahead of another try are answered.</param>
    public static DetectionResult DeadlinePassed(TimeSpan deadline, TimeSpan expected) => Failed(
        DetectionFailure.DeadlinePassed,
        string.Create(CultureInfo.InvariantCulture, $"The deadline of {deadline.TotalMilliseconds:F0} ms passed."),
        expected);

    /// <summary>The result for an image that was not decoded.</summary>
    public static DetectionResult OfDecoder(DecodeOutcome outcome) => Failed(
        outcome.Failure switch
        {
            DecodeFailure.UnsupportedFormat => DetectionFailure.UnsupportedFormat,
            DecodeFailure.TooManyPixels => DetectionFailure.TooManyPixels,
            _ => DetectionFailure.Undecodable,
        },
        outcome.Detail);
}
