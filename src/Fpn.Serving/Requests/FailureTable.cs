using System.Collections.Immutable;

namespace Fpn.Serving.Requests;

/// <summary>What follows from each failure, in every protocol and for every instrument: a row a kind.</summary>
internal static class FailureTable
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    /// <summary>The pause between two tries to load a lost model.</summary>
    private static readonly TimeSpan AfterReload = TimeSpan.FromSeconds(5);

    /// <summary>The rows, in the order of the kinds.</summary>
    public static ImmutableArray<FailureRow> Rows { get; } =
    [
        new(FailureKind.UnsupportedFormat, "unsupported-image-format", "Unsupported image format")
        {
            HttpStatus = 415, GrpcStatus = GrpcStatus.InvalidArgument, Outcome = FailureReason.Refused,
        },
        new(FailureKind.TooManyPixels, "too-many-pixels", "Too many pixels")
        {
            HttpStatus = 413, GrpcStatus = GrpcStatus.InvalidArgument, Outcome = FailureReason.Refused,
        },
        new(FailureKind.Undecodable, "undecodable-image", "Undecodable image")
        {
            HttpStatus = 422, GrpcStatus = GrpcStatus.InvalidArgument, Outcome = FailureReason.Refused,
        },
        new(FailureKind.QueueFull, "queue-full", "Queue full")
        {
            HttpStatus = 503, GrpcStatus = GrpcStatus.Unavailable, Outcome = FailureReason.Refused, RetryAfter = Soon,
        },
        new(FailureKind.DeadlinePassed, "deadline-passed", "Deadline passed")
        {
            HttpStatus = 504, GrpcStatus = GrpcStatus.DeadlineExceeded, Outcome = FailureReason.Refused,
        },
        new(FailureKind.ShuttingDown, "shutting-down", "Shutting down")
        {
            HttpStatus = 503, GrpcStatus = GrpcStatus.Unavailable, Outcome = FailureReason.Refused, RetryAfter = Soon,
        },
        new(FailureKind.DeviceLost, "device-lost", "Device lost")
        {
            HttpStatus = 503,
            GrpcStatus = GrpcStatus.Unavailable,
            Outcome = FailureReason.Failed,
            RetryAfter = AfterReload,
        },
        new(FailureKind.NotExplainable, "bad-parameter", "Bad parameter")
        {
            HttpStatus = 400,
            GrpcStatus = GrpcStatus.InvalidArgument,
            Outcome = FailureReason.Refused,
            Parameter = "explain",
        },
        new(FailureKind.ModelFailure, "model-failure", "Model failure")
        {
            HttpStatus = 500, GrpcStatus = GrpcStatus.Internal, Outcome = FailureReason.Failed,
        },
        new(FailureKind.NonFiniteOutput, "model-output-not-finite", "Model output not finite")
        {
            HttpStatus = 500, GrpcStatus = GrpcStatus.Internal, Outcome = FailureReason.Failed,
        },
        new(FailureKind.GivenUp, "request-given-up", "Request given up")
        {
            HttpStatus = 499, GrpcStatus = GrpcStatus.Cancelled, Outcome = FailureReason.Canceled,
        },
        new(FailureKind.UnknownModel, "unknown-model", "Unknown model")
        {
            HttpStatus = 404, GrpcStatus = GrpcStatus.NotFound, Parameter = "model",
        },
        new(FailureKind.TooManyViews, "too-many-views", "Too many views")
        {
            HttpStatus = 413, GrpcStatus = GrpcStatus.InvalidArgument, Outcome = FailureReason.Refused,
        },
        new(FailureKind.NotScalable, "no-scales", "No scales")
        {
            HttpStatus = 400,
            GrpcStatus = GrpcStatus.InvalidArgument,
            Outcome = FailureReason.Refused,
            Parameter = "scales",
        },
        new(FailureKind.NotTwoStage, "not-two-stage", "Not two stage")
        {
            HttpStatus = 400,
            GrpcStatus = GrpcStatus.InvalidArgument,
            Outcome = FailureReason.Refused,
            Parameter = "model",
        },
    ];

    /// <summary>The row of a kind.</summary>
    public static FailureRow RowFor(FailureKind kind) => Rows[(int)kind];
}

/// <summary>What follows from one kind of failure.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Name">Stable name for clients, metrics and traces (docs/errors.md).</param>
/// <param name="Title">A few words, the same for every failure of the kind.</param>
internal sealed record FailureRow(FailureKind Kind, string Name, string Title)
{
    /// <summary>HTTP status of the answer; 499, which is not sent, where no client waits for it.</summary>
    public required int HttpStatus { get; init; }

    /// <summary>gRPC status of the answer.</summary>
    public required GrpcStatus GrpcStatus { get; init; }

    /// <summary>How metrics count it: one of <see cref="FailureReason"/>'s outcomes. Null where there is no model to
    /// count it for.</summary>
    public string? Outcome { get; init; }

    /// <summary>After how long a retry may succeed if the failure itself does not say; null where the same request
    /// fails again.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Name of the parameter that is at fault, if one is.</summary>
    public string? Parameter { get; init; }
}
