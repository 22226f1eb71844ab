using System.Threading.Channels;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Queue;

/// <summary>Puts the waiting requests of one model into batches and keeps its device busy.</summary>
/// <remarks>
/// <para>
/// A batch leaves when the device is free and either it is full or its oldest request has waited
/// <see cref="BatchingOptions.MaxQueueDelay"/>. A full batch does not wait for the device to be free: it is resized and
/// normalized while the one before it runs, and the detections of the one before that are chosen meanwhile. A batch
/// that is not full stays open until the device is free, since others may still join it. Until its delay has passed,
/// full batches go ahead of it; afterwards those behind it wait for it, full or not.
/// </para>
/// <para>Thread-safe. Requests that are given up leave the queue at once and are not computed.</para>
/// </remarks>
internal sealed class DynamicBatcher : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly RequestQueue _queue = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ITimer _delay;
    private readonly BatchRunner _runner;
    private readonly TimeProvider _clock;

    /// <summary><see cref="BatchingOptions.MaxQueueDelay"/> in time stamps of the clock.</summary>
    private readonly long _maxQueueDelay;
    private readonly HashSet<Task> _running = [];
    private readonly Task _loop;
    private readonly int _streams;
    private int _inFlight;
    private bool _stopped;

    /// <summary>Starts to take requests.</summary>
    /// <param name="runner">Runs the batches; owned.</param>
    /// <param name="maxBatchSize">Images that a batch is worth at most, unless it is a single one.</param>
    /// <param name="options">Delay.</param>
    /// <param name="clock">The clock.</param>
    public DynamicBatcher(BatchRunner runner, int maxBatchSize, BatchingOptions options, TimeProvider clock)
    {
        (_runner, _clock) = (runner, clock);
        _maxQueueDelay = (long)Math.Round(options.MaxQueueDelay.TotalSeconds * clock.TimestampFrequency);
        _streams = runner.Streams;
        MaxBatchSize = maxBatchSize;
        _delay = clock.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _loop = RunAsync();
    }

    /// <summary>Images that a batch is worth at most, unless it is a single one.</summary>
    public int MaxBatchSize { get; }

    /// <summary>Batches that the device runs at the same time.</summary>
    public int Streams => _streams;

    /// <summary>How fast the model answers.</summary>
    public ServiceRate Rate => _runner.Rate;

    /// <summary>The model's counters.</summary>
    public ModelMetrics Metrics => _runner.Metrics;

    /// <summary>Requests that wait for the device.</summary>
    public int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _queue.Count;
            }
        }
    }

    /// <summary>Makes a request that <see cref="InferAsync(PendingRequest, CancellationToken)"/> takes; its time in the
    /// queue counts from now.</summary>
    /// <param name="request">The request; if it asks for an explanation, the model can give one.</param>
    /// <param name="image">What the model sees of its image, measured by the model.</param>
    /// <param name="picture">Disposed when the pixels are not needed any more, also on failure.</param>
    /// <param name="bucket">The size that its batch is padded to.</param>
    /// <param name="weight">How many images it is worth on the device, at least 1.</param>
    public PendingRequest Create(
        DetectionRequest request, MeasuredImage image, IDisposable picture, ImageSize bucket, int weight) =>
        new(request, image, picture, bucket, weight, _clock.GetTimestamp());

    /// <summary>Runs an image through the model.</summary>
    /// <param name="pending">From <see cref="Create"/>; belongs to the batcher from now on, also on failure.</param>
    /// <param name="cancellationToken">The caller, the deadline, or the service gave up: the request leaves the queue,
    /// or its answer is thrown away.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    /// <exception cref="ShuttingDownException">The service ended first.</exception>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    /// <exception cref="ModelFailureException">The model failed.</exception>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity for this
    /// image.</exception>
    public Task<InferredImage> InferAsync(PendingRequest pending, CancellationToken cancellationToken)
    {
        // Before it is queued: otherwise it could run unnoticed after it is given up.
        var registration = cancellationToken.Register(() => GiveUp(pending, cancellationToken));
        lock (_gate)
        {
            Enqueue_NeedsLock(pending);
        }

        Wake();
        return EndAsync(pending, registration);
    }

    /// <summary>Runs several images through the model, which enter the queue at the same moment, so that they share
    /// batches.</summary>
    /// <returns>One task for each, in their order.</returns>
    /// <inheritdoc cref="InferAsync(PendingRequest, CancellationToken)"/>
    public Task<InferredImage>[] InferAsync(PendingRequest[] pending, CancellationToken cancellationToken)
    {
        var registrations = Array.ConvertAll(
            pending, each => cancellationToken.Register(() => GiveUp(each, cancellationToken)));
        lock (_gate)
        {
            Array.ForEach(pending, Enqueue_NeedsLock);
        }

        Wake();
        return [.. pending.Zip(registrations, EndAsync)];
    }

    /// <summary>Answers all requests that wait with <see cref="ShuttingDownException"/>, and takes no more.</summary>
    public void Abandon()
    {
        List<PendingRequest> abandoned;
        lock (_gate)
        {
            _stopped = true;
            abandoned = _queue.TakeAll();
        }

        foreach (var request in abandoned)
        {
            request.Fail(new ShuttingDownException());
            request.Release();
        }
    }

    /// <summary>Abandons the requests that wait, waits for those on the device, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        Abandon();
        _wake.Writer.TryComplete();
        await _loop;
        Task[] running;
        lock (_gate)
        {
            running = [.. _running];
        }

        // A batch that meets a lost device has the runner load the model again.
        await Task.WhenAll(running);
        await _runner.DisposeAsync();
        await _delay.DisposeAsync();
    }

    private void Wake() => _wake.Writer.TryWrite(true);

    private void Enqueue_NeedsLock(PendingRequest pending)
    {
        if (_stopped)
        {
            pending.Fail(new ShuttingDownException());
        }

        if (pending.IsDone)
        {
            pending.Release();
        }
        else
        {
            _queue.Add(pending);
        }
    }

    private static async Task<InferredImage> EndAsync(
        PendingRequest pending, CancellationTokenRegistration registration)
    {
        await using (registration)
        {
            return await pending.Completion;
        }
    }

    private void GiveUp(PendingRequest request, CancellationToken cancellationToken)
    {
        request.Cancel(cancellationToken);
        bool waiting;
        lock (_gate)
        {
            waiting = _queue.Remove(request);
        }

        if (waiting)
        {
            request.Release();
        }
    }

    private async Task RunAsync()
    {
        while (await _wake.Reader.WaitToReadAsync())
        {
            _wake.Reader.TryRead(out _);
            while (TakeDueBatch() is { } batch)
            {
                Track(Task.Run(() => _runner.RunAsync(batch, ReleaseDevice)));
            }
        }
    }

    /// <summary>Takes a batch that is due; otherwise sets the timer for the next one that will be.</summary>
    private List<PendingRequest>? TakeDueBatch()
    {
        lock (_gate)
        {
            if (_queue.OldestEnqueuedAt is not { } oldest || _inFlight > _streams)
            {
                return null;
            }

            var dueBy = _clock.GetTimestamp() - _maxQueueDelay;
            var head = _queue.PeekHead(MaxBatchSize, dueBy);

            // As many batches as the device runs at the same time, and a full one that is being prepared for it.
            if (_inFlight == _streams && (head is null || !_queue.HasFullBatch(head.Bucket, MaxBatchSize)))
            {
                return null;
            }

            if (head is null)
            {
                _delay.Change(_clock.GetElapsedTime(dueBy, oldest), Timeout.InfiniteTimeSpan);
                return null;
            }

            _inFlight++;
            return _queue.TakeBatch(MaxBatchSize, dueBy);
        }
    }

    private void Track(Task task)
    {
        lock (_gate)
        {
            _running.Add(task);
        }

        task.ContinueWith(
            done =>
            {
                lock (_gate)
                {
                    _running.Remove(done);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);
    }

    private void ReleaseDevice()
    {
        lock (_gate)
        {
            _inFlight--;
        }

        Wake();
    }
}
