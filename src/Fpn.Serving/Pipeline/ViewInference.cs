using System.Runtime.ExceptionServices;
using Fpn.Models.Detectors;
using Fpn.Serving.Lanes;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>Runs the views of one image through its model's lane, side by side with other people's images.</summary>
/// <remarks>
/// As many views are in the queue at the same time as keep the device in full batches: one for each stream, and one that
/// is prepared meanwhile. More would only make others wait behind them. All end together: one that fails or is given up
/// takes the others out of the queue.
/// </remarks>
internal static class ViewInference
{
    /// <summary>Runs all views.</summary>
    /// <param name="lane">The model.</param>
    /// <param name="request">Priority, and what is asked.</param>
    /// <param name="plan">The views.</param>
    /// <param name="picture">Their picture; the caller holds it until the task is done.</param>
    /// <param name="cancellationToken">Gives all of them up.</param>
    /// <returns>One for each view, in their order.</returns>
    /// <exception cref="OperationCanceledException">They were given up.</exception>
    /// <inheritdoc cref="DynamicBatcher.InferAsync(PendingRequest, CancellationToken)"/>
    public static async Task<InferredImage[]> RunAsync(
        ModelLane lane,
        DetectionRequest request,
        ViewPlan plan,
        SharedPicture picture,
        CancellationToken cancellationToken)
    {
        var batcher = lane.Batcher;
        if (plan.Views.Count == 1)
        {
            return [await batcher.InferAsync(Create(0), cancellationToken)];
        }

        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inferred = new InferredImage[plan.Views.Count];
        Exception? first = null;
        var window = Math.Min(inferred.Length, (batcher.Streams + 1) * batcher.MaxBatchSize);
        var next = window;
        var begun = batcher.InferAsync([.. Enumerable.Range(0, window).Select(Create)], together.Token);
        await Task.WhenAll(begun.Select(GoOnAsync));
        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        return inferred;

        PendingRequest Create(int view)
        {
            var geometry = plan.Geometries[view];
            return batcher.Create(
                request,
                new MeasuredImage(picture.Image, plan.Views[view], geometry) { Task = request.Task },
                picture.Hold(),
                lane.Buckets.BucketFor(geometry.Padded));
        }

        // When a view is done, the next one takes its place.
        async Task GoOnAsync(Task<InferredImage> running, int view)
        {
            try
            {
                inferred[view] = await running;
                while ((view = Interlocked.Increment(ref next) - 1) < inferred.Length)
                {
                    together.Token.ThrowIfCancellationRequested();
                    inferred[view] = await batcher.InferAsync(Create(view), together.Token);
                }
            }
#pragma warning disable CA1031 // Thrown again when all have ended.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Interlocked.CompareExchange(ref first, exception, null);
                await together.CancelAsync();
            }
        }
    }
}
