using Fpn.Detection.Views;
using Fpn.Models.Detectors;
using Fpn.Service.Problems;
using Fpn.Service.Security;
using Fpn.Serving.Lanes;
using Fpn.Serving.Pipeline;
using Fpn.Serving.Requests;

namespace Fpn.Service.Detect;

/// <summary>Runs all images of one request through the queue; one that fails, fails the request. Those that have no
/// room beside each other run one after the other.</summary>
internal sealed class SideBySide(DetectionPipeline pipeline)
{
    /// <summary>Asks the model about all images, side by side with each other and with other requests.</summary>
    /// <param name="lane">The model that answers.</param>
    /// <param name="images">[N] encoded images; in use until the task is done.</param>
    /// <param name="urgency">The priority and deadline of each.</param>
    /// <param name="task">What it is asked about each.</param>
    /// <param name="views">Which looks are taken at each; null for those of the model's package.</param>
    /// <param name="caller">Pays for views.</param>
    /// <param name="locate">Names the image, by its index, in its problem.</param>
    /// <param name="cancellationToken">The client went away.</param>
    /// <param name="turns">Shared with other images of the request; null if these are all.</param>
    /// <returns>
    /// [N], in the order of the images; or the problem of the first that failed: the others are given up.
    /// </returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<DetectionResult[]>> DetectAsync(
        ModelLane lane,
        ReadOnlyMemory<byte>[] images,
        DetectHeaders urgency,
        ImageTask task,
        ViewOptions? views,
        Caller caller,
        Func<int, Problem, Problem> locate,
        CancellationToken cancellationToken,
        ImageTurns? turns = null)
    {
        turns ??= images.Length > 1 ? new ImageTurns() : null;
        using var stop = new CancellationTokenSource();
        var runs = Array.ConvertAll(images, RunAsync);

        // Every task must have ended before the caller frees the images, however it ended.
        await Task.WhenAll(runs.Cast<Task>()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Array.Find(runs, run => run.IsFaulted) is { } faulted)
        {
            await faulted;
        }

        var results = await Task.WhenAll(runs);
        var failed = Array.FindIndex(results, result => result.Failure is { Kind: not FailureKind.GivenUp });
        return failed >= 0
            ? locate(failed, FailureProblems.ProblemFor(results[failed].Failure!))
            : Array.ConvertAll(results, result => result.Value!);

        async Task<Result<DetectionResult>> RunAsync(ReadOnlyMemory<byte> image)
        {
            var succeeded = false;
            try
            {
                var request = new DetectionRequest(image)
                {
                    Priority = urgency.Priority,
                    Timeout = urgency.Timeout,
                    Task = task,
                    Views = views,
                    Cancellation = cancellationToken,
                    GivenUp = stop.Token,
                    Admitted = caller.ChargeViews,
                };
                var result = await pipeline.DetectAsync(lane, request, turns);
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
