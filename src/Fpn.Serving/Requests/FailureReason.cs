namespace Fpn.Serving.Requests;

/// <summary>A failure, or an exception, in the words of metrics and traces.</summary>
/// <param name="Outcome">One of the constants.</param>
/// <param name="Name">Name of the failure in <see cref="FailureTable"/>, or of the exception's kind.</param>
internal readonly record struct FailureReason(string Outcome, string Name)
{
    /// <summary>The outcome of an image that was answered.</summary>
    public const string Success = "success";

    /// <summary>The outcome where the service or its model is at fault.</summary>
    public const string Failed = "failed";

    /// <summary>The outcome where the image, the request or the load is at fault.</summary>
    public const string Refused = "refused";

    /// <summary>The outcome where the answer was not wanted any more.</summary>
    public const string Canceled = "canceled";

    /// <summary>The client closed its connection.</summary>
    public static FailureReason ClientClosed { get; } = new(Canceled, "client-closed-request");

    /// <summary>A defect of the service.</summary>
    public static FailureReason Defect { get; } = new(Failed, "internal-error");

    /// <summary>The reason of an expected failure.</summary>
    public static FailureReason FromKind(FailureKind kind)
    {
        var row = FailureTable.RowFor(kind);
        return new FailureReason(row.Outcome ?? Refused, row.Name);
    }

    /// <summary>The reason of an exception: an expected failure, a client that left, or else a defect.</summary>
    public static FailureReason FromException(Exception exception) =>
        DetectionFailure.FromException(exception) is { } failure ? FromKind(failure.Kind)
        : exception is OperationCanceledException ? ClientClosed
        : Defect;
}
