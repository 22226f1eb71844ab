using System.Collections.Concurrent;

namespace Fpn.Serving.Telemetry;

/// <summary>What was measured of one version of a model, since the process began.</summary>
/// <remarks>Thread-safe; numbers that belong together may differ by what is being added.</remarks>
internal sealed class ModelTotals
{
    private readonly ConcurrentDictionary<int, BatchTotals> _batches = new();
    private long _lastRequest;

    /// <summary>When an image was answered last, in milliseconds since 1970; 0 for never.</summary>
    public long LastRequest => Interlocked.Read(ref _lastRequest);

    /// <summary>Images that were answered, and their whole time.</summary>
    public MeasuredTotal Success { get; } = new();

    /// <summary>Images that were not, for whatever reason; how long they took is not measured.</summary>
    public MeasuredTotal Failure { get; } = new();

    /// <summary>Waiting of the images that were answered.</summary>
    public MeasuredTotal Queue { get; } = new();

    /// <summary>Decoding, resizing and normalizing of the images that were answered.</summary>
    public MeasuredTotal Input { get; } = new();

    /// <summary>The runs of the images that were answered: a run counts in full for each of its images.</summary>
    public MeasuredTotal Inference { get; } = new();

    /// <summary>Choosing the detections of the images that were answered.</summary>
    public MeasuredTotal Output { get; } = new();

    /// <summary>Images that went through the model.</summary>
    public MeasuredTotal Images { get; } = new();

    /// <summary>Runs of the model, and their time.</summary>
    public MeasuredTotal Runs { get; } = new();

    /// <summary>The sizes of batches that were met, smallest first.</summary>
    public IEnumerable<KeyValuePair<int, BatchTotals>> Batches => _batches.OrderBy(batch => batch.Key);

    /// <summary>The batches of a size.</summary>
    public BatchTotals BatchesWith(int size) => _batches.GetOrAdd(size, _ => new BatchTotals());

    /// <summary>Notes when an image was answered.</summary>
    public void SetLastRequest(DateTimeOffset time) =>
        Interlocked.Exchange(ref _lastRequest, time.ToUnixTimeMilliseconds());
}

/// <summary>What was measured of batches of one size.</summary>
internal sealed class BatchTotals
{
    /// <summary>
    /// Resizing and normalizing: an entry for each image that was answered, of its whole batch's time.
    /// </summary>
    public MeasuredTotal Input { get; } = new();

    /// <summary>Runs.</summary>
    public MeasuredTotal Runs { get; } = new();

    /// <summary>Choosing detections: an entry for each image that was answered, of its own time.</summary>
    public MeasuredTotal Output { get; } = new();
}

/// <summary>How often something was measured, and the sum.</summary>
internal sealed class MeasuredTotal
{
    private long _count;
    private long _nanoseconds;

    /// <summary>How often.</summary>
    public long Count => Interlocked.Read(ref _count);

    /// <summary>How long, all together.</summary>
    public long Nanoseconds => Interlocked.Read(ref _nanoseconds);

    /// <summary>Counts.</summary>
    public void Add(long count) => Interlocked.Add(ref _count, count);

    /// <summary>Adds a time, without counting.</summary>
    public void AddTime(double seconds) => Interlocked.Add(ref _nanoseconds, (long)Math.Round(seconds * 1e9));
}
