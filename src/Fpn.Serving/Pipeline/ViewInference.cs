using System.Runtime.ExceptionServices;
using Fpn.Serving.Lanes;
using Fpn.Serving.Queue;
using Fpn.Serving.Requests;

namespace Fpn.Serving.Pipeline;

/// <summary>Runs the views of one image through its model's lane, side by side with other people's images.</summary>
/// <remarks>
/// As many views are in the queue at the same time as keep the device in full batches: one for each stream, and one
/// that is prepared meanwhile. More would only make others wait behind them. All end together: one that fails or is
/// given up takes the others out of the queue.
/// </remarks>
internal static class ViewInference
{
    /// <summary>Runs all views.</summary>
    /// <param name="lane">The model.</param>
    /// <param name="request">Priority, and what is asked.</param>
    /// <param name="plan">The views.</param>
    /// <param name="source">Their pixels; in use until the task is done.</param>
    /// <param name="cancellationToken">Gives all of them up.</param>
    /// <returns>One for each view, in their order.</returns>
    /// <exception cref="OperationCanceledException">They were given up.</exception>
    /// <exception cref="ImageRefusedException">The pixels of a view cannot be decoded.</exception>
    /// <inheritdoc cref="DynamicBatcher.InferAsync(PendingRequest, CancellationToken)"/>
    public static async Task<InferredImage[]> RunAsync(
        ModelLane lane,
        DetectionRequest request,
        ViewPlan plan,
        ViewSource source,
        CancellationToken cancellationToken)
    {
        var batcher = lane.Batcher;
        if (plan.Views.Count == 1)
        {
            return [await batcher.InferAsync(await CreateAsync(0, cancellationToken), cancellationToken)];
        }

        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var inferred = new InferredImage[plan.Views.Count];
        Exception? first = null;
        var window = Math.Min(inferred.Length, (batcher.Streams + 1) * batcher.MaxBatchSize);
        var next = 0;
        if (source.IsDecoded)
        {
            var pending = new PendingRequest[window];
            for (next = 0; next < window; next++)
            {
                pending[next] = await CreateAsync(next, together.Token);
            }

            await Task.WhenAll(batcher.InferAsync(pending, together.Token).Select(GoOnAsync));
        }
        else
        {
            await Task.WhenAll(Enumerable.Range(0, window).Select(_ => GoOnAsync(null, 0)));
        }

        if (first is not null)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        return inferred;

        async ValueTask<PendingRequest> CreateAsync(int view, CancellationToken token)
        {
            var (image, picture) = await source.TakeAsync(view, token);
            return batcher.Create(
                request,
                image with { Task = request.Task },
                picture,
                lane.Buckets.BucketFor(image.Geometry.Padded),
                plan.Weights[view]);
        }

        // When a view is done, the next one takes its place.
        async Task GoOnAsync(Task<InferredImage>? running, int view)
        {
            try
            {
                if (running is not null)
                {
                    inferred[view] = await running;
                }

                while ((view = Interlocked.Increment(ref next) - 1) < inferred.Length)
                {
                    together.Token.ThrowIfCancellationRequested();
                    var pending = await CreateAsync(view, together.Token);
                    inferred[view] = await batcher.InferAsync(pending, together.Token);
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
