using Fpn.Models.Detectors;
using Fpn.Service.Detect;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.OpenInference;

/// <summary>Runs the images of one inference request, whichever way it came.</summary>
internal sealed class ImageInference(DetectionPipeline pipeline)
{
    /// <summary>Runs all images side by side through the queue that <c>/detect</c> uses.</summary>
    /// <param name="lane">The model; the caller holds a use of it.</param>
    /// <param name="images">[N] encoded images; their bytes must stay until the task is done.</param>
    /// <param name="choices">What the request's parameters say.</param>
    /// <param name="urgency">Priority and deadline where they say nothing.</param>
    /// <param name="caller">Pays for the images beyond the first.</param>
    /// <param name="cancellationToken">The client went away.</param>
    /// <returns>
    /// [N], in the order of the images; or the problem of the first that failed: the others are given up.
    /// </returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectedObject[][]>> DetectAsync(
        ModelLane lane,
        ReadOnlyMemory<byte>[] images,
        InferChoices choices,
        DetectHeaders urgency,
        Caller caller,
        CancellationToken cancellationToken)
    {
        if (choices.Priority is { } priority && caller.Check(priority) is { } tooUrgent)
        {
            return tooUrgent;
        }

        caller.ChargeMore(Math.Max(0, images.Length - 1));
        using var stop = new CancellationTokenSource();
        var runs = Array.ConvertAll(images, RunAsync);

        // Every task must have ended before the body is freed, whatever became of it.
        await Task.WhenAll(runs.Cast<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Array.Find(runs, run => run.IsFaulted) is { } faulted)
        {
            await faulted;
        }

        var results = await Task.WhenAll(runs);
        var failed = Array.FindIndex(results, result => result.Failure is { Kind: not FailureKind.GivenUp });
        if (failed >= 0)
        {
            return ImageTensor.At(failed, FailureProblems.ProblemFor(results[failed].Failure!));
        }

        return Array.ConvertAll(results, result => choices.Filter.Apply(result.Value!.Detections).ToArray());

        async Task<Result<DetectionResult>> RunAsync(ReadOnlyMemory<byte> image)
        {
            var succeeded = false;
            try
            {
                var request = new DetectionRequest(image)
                {
                    Priority = choices.Priority ?? urgency.Priority,
                    Timeout = choices.Timeout ?? urgency.Timeout,
                    Cancellation = cancellationToken,
                    GivenUp = stop.Token,
                };
                var result = await pipeline.DetectAsync(lane, request);
                succeeded = result.Succeeded;
                return result;
            }
            finally
            {
                if (!succeeded)
                {
                    await stop.CancelAsync();
                }
            }
        }
    }
}
