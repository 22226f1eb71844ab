using Fpn.Detection.Geometry;
using Fpn.Models.Loading;
using Fpn.Serving.Queue;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Lanes;

/// <summary>One model and the way to it: admission, buckets, batcher.</summary>
internal sealed class ModelLane : IAsyncDisposable
{
    private readonly int _capacity;
    private readonly long _regularPixels;
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
    /// <param name="capacity">Images that may wait.</param>
    /// <param name="regularPixels">Padded pixels of the largest image in the model's own size.</param>
    public ModelLane(
        ModelEntry model,
        DynamicBatcher batcher,
        ShapeBuckets buckets,
        IReadOnlyList<BatchTiming> curve,
        int capacity,
        long regularPixels)
    {
        (Model, Batcher, Buckets, Curve) = (model, batcher, buckets, curve);
        (_capacity, _regularPixels) = (capacity, regularPixels);
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

    /// <summary>Images that may be admitted and not answered: those that wait, and those on the device.</summary>
    public int Limit => _capacity + Batcher.MaxBatchSize;

    /// <summary>Images that were admitted and are not answered; each view is one.</summary>
    public int Admitted => Volatile.Read(ref _admitted);

    /// <summary>How long it is likely to take until all that were admitted are answered.</summary>
    public TimeSpan ExpectedTime => Batcher.Rate.TimeFor(Admitted);

    /// <summary>Admits one more image, or several views; <see cref="Leave"/> must follow.</summary>
    /// <param name="places">Places of the queue that they take.</param>
    /// <returns>False when the queue has not as many; nothing is taken then, not even for a moment, which would have
    /// others refused.</returns>
    public bool TryEnter(int places = 1)
    {
        var admitted = Admitted;
        while (places <= Limit - admitted)
        {
            var seen = Interlocked.CompareExchange(ref _admitted, admitted + places, admitted);
            if (seen == admitted)
            {
                return true;
            }

            admitted = seen;
        }

        return false;
    }

    /// <summary>What was admitted is answered.</summary>
    /// <param name="places">Its places.</param>
    public void Leave(int places = 1) => Interlocked.Add(ref _admitted, -places);

    /// <summary>Places of the queue that a view takes: as many as images of the model's own size have its
    /// pixels.</summary>
    /// <param name="padded">Its size after resizing and padding.</param>
    public long PlacesFor(ImageSize padded) => 1 + ((padded.Area - 1) / _regularPixels);

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
