using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Imaging.Decoding;
using Fpn.Models.Execution.Devices;

namespace Fpn.Serving.Requests;

/// <summary>Why a request was not answered: an expected failure, as opposed to a defect, which is thrown.</summary>
public sealed class DetectionFailure
{
    private readonly FailureRow _row;

    /// <summary>Creates a failure.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="detail">What failed here, and what to do: one sentence or two.</param>
    /// <param name="retryAfter">After how long a retry may succeed; null for the kind's own time.</param>
    public DetectionFailure(FailureKind kind, string detail, TimeSpan? retryAfter = null)
    {
        _row = FailureTable.RowFor(kind);
        Detail = detail;
        RetryAfter = retryAfter ?? _row.RetryAfter;
    }

    /// <summary>The kind.</summary>
    public FailureKind Kind => _row.Kind;

    /// <summary>Stable name of the kind, such as <c>queue-full</c>, which clients may compare.</summary>
    public string Name => _row.Name;

    /// <summary>A few words, the same for every failure of the kind.</summary>
    public string Title => _row.Title;

    /// <summary>What failed here, and what to do: one sentence or two. May change between versions.</summary>
    public string Detail { get; }

    /// <summary>The HTTP status that suits an answer: 4xx where the request is at fault, otherwise 5xx.</summary>
    public int HttpStatus => _row.HttpStatus;

    /// <summary>After how long the same request may succeed; null where it fails again.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>The gRPC status that suits an answer.</summary>
    internal GrpcStatus GrpcStatus => _row.GrpcStatus;

    /// <summary>Name of the request's parameter that is at fault, if one is.</summary>
    internal string? Parameter => _row.Parameter;

    /// <summary>The exception behind a failure of the model, for the log; otherwise null.</summary>
    internal Exception? Cause { get; init; }

    /// <summary>The kind and the detail, for logs.</summary>
    public override string ToString() => $"{Name}: {Detail}";

    /// <summary>The failure of a request that does not fit the queue.</summary>
    /// <param name="capacity">Images that may wait.</param>
    /// <param name="expected">Time until those are answered.</param>
    internal static DetectionFailure QueueFull(int capacity, TimeSpan expected) =>
        new(FailureKind.QueueFull, $"{capacity} images wait already, which is the most.", expected);

    /// <summary>The failure of a request that takes several places, which do not fit the queue beside what waits
    /// there.</summary>
    /// <param name="places">Places that its views or its regions take.</param>
    /// <param name="capacity">Images that may wait.</param>
    /// <param name="expected">Time until those are answered.</param>
    internal static DetectionFailure NoRoom(int places, int capacity, TimeSpan expected) => new(
        FailureKind.QueueFull,
        $"This image takes {places} of the {capacity} places in the queue, and not as many are free.",
        expected);

    /// <summary>The failure of a request for a picture with boxes drawn, where the picture is larger than the memory
    /// for pictures.</summary>
    /// <param name="image">The image's size.</param>
    internal static DetectionFailure TooLargeToDraw(ImageSize image) => new(
        FailureKind.TooManyPixels,
        $"A picture of {image.Width} x {image.Height} pixels is larger than the memory for pictures: it can be looked "
        + "at in slices, but not drawn. Ask for another format than a picture.");

    /// <summary>The failure of a request for looks at a whole picture that is larger than the memory for pictures, of a
    /// model that takes pictures in their own size.</summary>
    /// <param name="image">The image's size.</param>
    internal static DetectionFailure TooLargeToLookAt(ImageSize image) => new(
        FailureKind.TooManyPixels,
        $"A picture of {image.Width} x {image.Height} pixels is larger than the memory for pictures, and this model "
        + "takes pictures in their own size. Ask for slices alone, with wholeImage=false.");

    /// <summary>The failure of a request that asks for too many looks at an image.</summary>
    /// <param name="image">The image's size.</param>
    /// <param name="count">The views that there would be.</param>
    /// <param name="most">Views that are allowed.</param>
    internal static DetectionFailure TooManyViews(ImageSize image, long count, int most) => new(
        FailureKind.TooManyViews,
        $"An image of {image.Width} x {image.Height} pixels would be looked at in {count} views; at most {most} are "
        + "allowed. Ask for larger slices, less overlap or fewer scales.");

    /// <summary>The failure of a request that cannot be answered in time, since those ahead take too long.</summary>
    /// <param name="deadline">The request's.</param>
    /// <param name="expected">Time until it would be answered.</param>
    internal static DetectionFailure DeadlineOutOfReach(TimeSpan deadline, TimeSpan expected) => new(
        FailureKind.DeadlinePassed,
        string.Create(
            CultureInfo.InvariantCulture,
            $"The deadline of {deadline.TotalMilliseconds:F0} ms cannot be met: with those ahead it would take about "
            + $"{expected.TotalMilliseconds:F0} ms."));

    /// <summary>The failure of a request that was not answered in time.</summary>
    /// <param name="deadline">The request's.</param>
    internal static DetectionFailure DeadlinePassed(TimeSpan deadline) => new(
        FailureKind.DeadlinePassed,
        string.Create(CultureInfo.InvariantCulture, $"The deadline of {deadline.TotalMilliseconds:F0} ms passed."));

    /// <summary>The failure of a request that names a model that is not served.</summary>
    /// <param name="model">The name.</param>
    /// <param name="known">The models that are.</param>
    internal static DetectionFailure UnknownModel(string model, IReadOnlyCollection<string> known) => new(
        FailureKind.UnknownModel,
        $"There is no model '{model}'. Known: {(known.Count > 0 ? string.Join(", ", known) : "none")}.");

    /// <summary>The failure of an image that was not decoded.</summary>
    internal static DetectionFailure FromDecoder(DecodeOutcome outcome) => new(
        outcome.Failure switch
        {
            DecodeFailure.UnsupportedFormat => FailureKind.UnsupportedFormat,
            DecodeFailure.TooManyPixels => FailureKind.TooManyPixels,
            _ => FailureKind.Undecodable,
        },
        outcome.Detail);

    /// <summary>The expected failure that an exception reports; null for others: a cancellation or a
    /// defect.</summary>
    internal static DetectionFailure? FromException(Exception exception) => exception switch
    {
        ShuttingDownException => new(FailureKind.ShuttingDown, exception.Message),
        DeviceLostException => new(FailureKind.DeviceLost, exception.Message),
        NonFiniteOutputException => new(FailureKind.NonFiniteOutput, exception.Message) { Cause = exception },
        ModelFailureException => new(FailureKind.ModelFailure, exception.Message) { Cause = exception },
        AggregateException { InnerExceptions: [var first, ..] } => FromException(first),
        _ => null,
    };
}
