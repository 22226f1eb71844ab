using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Devices;
using Fpn.Serving.Requests;

namespace Fpn.Service.Problems;

/// <summary>Which problem a failure of the pipeline is.</summary>
internal static class FailureProblems
{
    /// <summary>The problem of a result without detections.</summary>
    /// <param name="result">A result with its failure set.</param>
    public static Problem Of(DetectionResult result) => result.Failure switch
    {
        DetectionFailure.UnsupportedFormat => Problem.UnsupportedImageFormat(result.FailureDetail),
        DetectionFailure.TooManyPixels => Problem.TooManyPixels(result.FailureDetail),
        DetectionFailure.Undecodable => Problem.UndecodableImage(result.FailureDetail),
        DetectionFailure.QueueFull => Problem.QueueFull(result.FailureDetail, result.RetryAfter),
        DetectionFailure.DeadlinePassed => Problem.DeadlinePassed(result.FailureDetail),
        DetectionFailure.ShuttingDown => Problem.ShuttingDown(result.FailureDetail),
        DetectionFailure.NotExplainable => Problem.BadParameter("explain", result.FailureDetail),
        _ => Problem.DeviceLost(result.FailureDetail),
    };

    /// <summary>The problem of an exception: a broken body, a broken model, or else a defect.</summary>
    public static Problem Of(Exception exception) => exception switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => Problem.BodyTooSlow(),
        BadHttpRequestException bad => Problem.BadRequest(bad.Message) with { Status = bad.StatusCode },
        NonFiniteOutputException notFinite => Problem.ModelOutputNotFinite(notFinite.Message),
        ModelFailureException failure => Problem.ModelFailure(failure.Message),
        _ => Problem.InternalError(),
    };
}
