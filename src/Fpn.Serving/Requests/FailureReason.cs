using System.Collections.Immutable;
using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Devices;

namespace Fpn.Serving.Requests;

/// <summary>
/// Failures in the words of metrics and traces: the types of the problems that clients are told (docs/errors.md).
/// </summary>
internal static class FailureReason
{
    /// <summary>The outcome for which the service or its model is to blame.</summary>
    public const string Failed = "failed";

    private const string Canceled = "client-closed-request";
    private const string GivenUp = "request-given-up";
    private const string NotFinite = "model-output-not-finite";
    private const string ModelFailure = "model-failure";
    private const string DeviceLost = "device-lost";
    private const string Defect = "internal-error";

    /// <summary>All that <see cref="Of(Exception)"/> gives.</summary>
    public static ImmutableArray<string> Exceptions { get; } =
        [Canceled, GivenUp, NotFinite, ModelFailure, DeviceLost, Defect];

    /// <summary>The reason in words.</summary>
    public static string Of(DetectionFailure failure) => failure switch
    {
        DetectionFailure.UnsupportedFormat => "unsupported-image-format",
        DetectionFailure.TooManyPixels => "too-many-pixels",
        DetectionFailure.Undecodable => "undecodable-image",
        DetectionFailure.QueueFull => "queue-full",
        DetectionFailure.DeadlinePassed => "deadline-passed",
        DetectionFailure.ShuttingDown => "shutting-down",
        DetectionFailure.NotExplainable => "bad-parameter",
        _ => DeviceLost,
    };

    /// <inheritdoc cref="Of(DetectionFailure)"/>
    public static string Of(Exception exception) => exception switch
    {
        RequestGivenUpException => GivenUp,
        OperationCanceledException => Canceled,
        NonFiniteOutputException => NotFinite,
        ModelFailureException => ModelFailure,
        DeviceLostException => DeviceLost,
        AggregateException { InnerExceptions: [var first, ..] } => Of(first),
        _ => Defect,
    };

    /// <summary><c>failed</c> when service or model is to blame, <c>refused</c> when image or load is.</summary>
    public static string OutcomeOf(DetectionFailure failure) =>
        failure == DetectionFailure.DeviceLost ? Failed : "refused";

    /// <summary><c>canceled</c> when the answer was not wanted any more, otherwise <c>failed</c>.</summary>
    /// <param name="reason">One of <see cref="Exceptions"/>.</param>
    public static string OutcomeOf(string reason) => reason is Canceled or GivenUp ? "canceled" : Failed;
}
