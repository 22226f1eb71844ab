using Fpn.Models.Detectors;
using Fpn.Service.Answers;
using Fpn.Service.Detect;
using Fpn.Service.Problems;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.Stages;

/// <summary>Takes a request that asks one stage alone through the pipeline, side by side with all others.</summary>
internal sealed class StageRunner(DetectionPipeline pipeline, TimeProvider clock)
{
    /// <summary>Asks the model.</summary>
    /// <param name="context">The request; the log gets the answer, the response its times.</param>
    /// <param name="lane">The model; the caller holds a use of it.</param>
    /// <param name="headers">Priority and deadline.</param>
    /// <param name="image">The encoded image; in use until the task is done.</param>
    /// <param name="task">What is asked.</param>
    /// <returns>The answer, or the problem.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectionAnswer>> RunAsync(
        HttpContext context, ModelLane lane, DetectHeaders headers, ReadOnlyMemory<byte> image, ImageTask task)
    {
        var request = new DetectionRequest(image)
        {
            Priority = headers.Priority,
            Timeout = headers.Timeout,
            Task = task,
            Cancellation = context.RequestAborted,
            Arrived = clock.GetTimestamp(),
        };
        var result = await pipeline.DetectAsync(lane, request);
        if (!result.Succeeded)
        {
            return FailureProblems.ProblemFor(result.Failure);
        }

        var answer = DetectionAnswer.Create(lane.Model.Contract, task, result.Value);
        context.Features.Set(answer);
        context.Response.Headers.Append("Server-Timing", answer.ServerTiming);
        return answer;
    }
}
