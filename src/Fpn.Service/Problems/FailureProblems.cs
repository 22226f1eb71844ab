using Fpn.Serving.Requests;

namespace Fpn.Service.Problems;

/// <summary>Turns failures and exceptions into problems.</summary>
internal static class FailureProblems
{
    /// <summary>The problem of an expected failure.</summary>
    public static Problem ProblemFor(DetectionFailure failure) =>
        new(failure.HttpStatus, failure.Name, failure.Title, failure.Detail)
        {
            Parameter = failure.Parameter,
            RetryAfter = failure.RetryAfter,
            Cause = failure.Cause,
            GrpcStatus = failure.GrpcStatus,
        };

    /// <inheritdoc cref="ProblemFor(DetectionFailure)"/>
    public static Problem ProblemFor(FailureKind kind, string detail) => ProblemFor(new DetectionFailure(kind, detail));

    /// <summary>The problem of an exception: a broken body, or else a defect.</summary>
    public static Problem FromException(Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => Problem.BodyTooSlow(),
        BadHttpRequestException bad => Problem.BadRequest(bad.Message) with { Status = bad.StatusCode },
        _ => Problem.InternalError() with { Cause = exception },
    };
}
