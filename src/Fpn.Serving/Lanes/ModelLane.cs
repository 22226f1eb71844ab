using Fpn.Models.Loading;
using Fpn.Serving.Queue;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Lanes;

/// <summary>One model and the way to it: admission, buckets, batcher.</summary>
internal sealed class ModelLane : IAsyncDisposable
{
    private readonly int _capacity;
    private readonly TaskCompletionSource _unused = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _admitted;

    /// <summary>Holds on the lane: the registry's while it serves it, and every <see cref="LaneUse"/>. 0 is
    /// final.</summary>
    private int _uses = 1;

    /// <summary>Puts the parts together.</summary>
    /// <param name="model">The model.</param>
    /// <param name="batcher">Runs it.</param>
    /// <param name="buckets">Its batch sizes in pixels.</param>
    /// <param name="curve">Measurements at the start; empty when the batch size was fixed.</param>
    /// <param name="capacity">Requests that may wait.</param>
    public ModelLane(
        ModelEntry model,
        DynamicBatcher batcher,
        ShapeBuckets buckets,
        IReadOnlyList<BatchTiming> curve,
        int capacity)
    {
        (Model, Batcher, Buckets, Curve, _capacity) = (model, batcher, buckets, curve, capacity);
    }

    /// <summary>The model.</summary>
    public ModelEntry Model { get; }

    /// <summary>Runs it.</summary>
    public DynamicBatcher Batcher { get; }

    /// <summary>Its batch sizes in pixels.</summary>
    public ShapeBuckets Buckets { get; }

    /// <summary>Measurements at the start; empty when the batch size was fixed.</summary>
    public IReadOnlyList<BatchTiming> Curve { get; }

    /// <summary>The model's counters.</summary>
    public ModelMetrics Metrics => Batcher.Metrics;

    /// <summary>Requests that may be admitted and not answered: those that wait, and those on the device.</summary>
    public int Limit => _capacity + Batcher.MaxBatchSize;

    /// <summary>Requests that were admitted and are not answered.</summary>
    public int Admitted => Volatile.Read(ref _admitted);

    /// <summary>How long it is likely to take until all that were admitted are answered.</summary>
    public TimeSpan ExpectedTime => Batcher.Rate.TimeFor(Admitted);

    /// <summary>Admits one more request; <see cref="Leave"/> must follow.</summary>
    /// <returns>False when the queue is full.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _admitted) <= Limit)
        {
            return true;
        }

        Interlocked.Decrement(ref _admitted);
        return false;
    }

    /// <summary>A request that was admitted is answered.</summary>
    public void Leave() => Interlocked.Decrement(ref _admitted);

    /// <summary>Completes when nothing holds the lane any more.</summary>
    public Task Unused => _unused.Task;

    /// <summary>Counts one more use; <see cref="EndUse"/> must follow.</summary>
    /// <returns>False when the last use has ended: another lane serves the model now, or none.</returns>
    public bool TryBeginUse()
    {
        var uses = Volatile.Read(ref _uses);
        while (uses > 0)
        {
            var seen = Interlocked.CompareExchange(ref _uses, uses + 1, uses);
            if (seen == uses)
            {
                return true;
            }

            uses = seen;
        }

        return false;
    }

    /// <summary>Ends a use, or the registry's own hold.</summary>
    public void EndUse()
    {
        if (Interlocked.Decrement(ref _uses) == 0)
        {
            _unused.SetResult();
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Batcher.DisposeAsync();
}
