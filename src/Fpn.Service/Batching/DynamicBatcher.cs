using System.Threading.Channels;
using Fpn.Detection.Imaging;
using Fpn.Service.Imaging;
using Fpn.Service.Model;

namespace Fpn.Service.Batching;

/// <summary>Puts the waiting requests of one model into batches and keeps its device busy.</summary>
/// <remarks>
/// <para>
/// A batch leaves when the device is free and either it is full or its oldest request has waited
/// <see cref="BatchingOptions.MaxQueueDelay"/>. A full batch does not wait for the device to be free: it is resized and
/// normalised while the one before it runs, and the detections of the one before that are chosen meanwhile. A batch
/// that is not full stays open until the device is free, since others may still join it.
/// </para>
/// <para>
/// When a batch of several images fails, each is tried alone, so that a poisoned image fails alone. When the device is
/// lost, those that were on it are told so, and the model is loaded again before the next batch.
/// </para>
/// <para>Thread-safe. Requests that nobody waits for any more leave the queue at once and are not computed.</para>
/// </remarks>
internal sealed partial class DynamicBatcher : IAsyncDisposable
{
    /// <summary>One batch on the device and one that is being prepared for it.</summary>
    private const int LargestInFlight = 2;

    private readonly Lock _gate = new();
    private readonly RequestQueue _queue = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly ITimer _delay;
    private readonly ModelEntry _model;
    private readonly WorkerThread _device;
    private readonly BatchingOptions _options;
    private readonly DetectionMetrics _metrics;
    private readonly TimeProvider _clock;
    private readonly ILogger _logger;
    private readonly HashSet<Task> _running = [];
    private readonly Task _loop;
    private int _inFlight;
    private bool _stopped;

    /// <summary>Starts to take requests.</summary>
    /// <param name="model">The model; its detector is used by this batcher alone.</param>
    /// <param name="maxBatchSize">Images in a batch at most.</param>
    /// <param name="device">Runs the graphs; may be shared with other models.</param>
    /// <param name="options">Delay.</param>
    /// <param name="metrics">Counts.</param>
    /// <param name="clock">Tells the time.</param>
    /// <param name="logger">Told of failures.</param>
    public DynamicBatcher(
        ModelEntry model, int maxBatchSize, WorkerThread device, BatchingOptions options, DetectionMetrics metrics, TimeProvider clock, ILogger logger)
    {
        (_model, _device, _options, _metrics, _clock, _logger) = (model, device, options, metrics, clock, logger);
        MaxBatchSize = maxBatchSize;
        _delay = clock.CreateTimer(_ => Wake(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _loop = RunAsync();
    }

    /// <summary>Images in a batch at most.</summary>
    public int MaxBatchSize { get; }

    /// <summary>How fast the model answers.</summary>
    public ServiceRate Rate { get; } = new();

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

    /// <summary>Runs an image through the model.</summary>
    /// <param name="image">Belongs to the batcher from now on, whatever happens.</param>
    /// <param name="lease">Disposed when the image is.</param>
    /// <param name="bucket">The size that its batch is padded to.</param>
    /// <param name="priority">Who goes first.</param>
    /// <param name="cancellationToken">Gives up: the request leaves the queue, or its answer is thrown away.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    /// <exception cref="ShuttingDownException">The service ended first.</exception>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    /// <exception cref="ModelFailureException">The model failed.</exception>
    /// <exception cref="Fpn.Detection.NonFiniteOutputException">The model gave NaN or infinity for this image.</exception>
    public async Task<InferredImage> InferAsync(
        DecodedImage image, IDisposable? lease, ImageSize bucket, RequestPriority priority, CancellationToken cancellationToken)
    {
        var request = new PendingRequest(image, lease, bucket, priority, _clock.GetTimestamp());
        lock (_gate)
        {
            if (_stopped)
            {
                request.Release();
                throw new ShuttingDownException();
            }

            _queue.Add(request);
        }

        Wake();
        await using var registration = cancellationToken.Register(() => GiveUp(request, cancellationToken));
        return await request.Completion;
    }

    /// <summary>Answers what still waits with <see cref="ShuttingDownException"/>, and takes no more.</summary>
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

    /// <summary>Abandons what still waits, waits for what is on the device, and ends.</summary>
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

        await Task.WhenAll(running);
        await _delay.DisposeAsync();
    }

    private void Wake() => _wake.Writer.TryWrite(true);

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
                Track(Task.Run(() => RunBatchAsync(batch)));
            }
        }
    }

    /// <summary>Takes a batch that is due; otherwise sets the timer for the next one that will be.</summary>
    private List<PendingRequest>? TakeDueBatch()
    {
        lock (_gate)
        {
            if (_queue.Count == 0)
            {
                return null;
            }

            var full = _inFlight < LargestInFlight && _queue.HasFullBatch(MaxBatchSize);
            if (!full)
            {
                if (_inFlight > 0)
                {
                    return null;
                }

                var waited = _clock.GetElapsedTime(_queue.OldestEnqueuedAt!.Value);
                if (waited < _options.MaxQueueDelay)
                {
                    _delay.Change(_options.MaxQueueDelay - waited, Timeout.InfiniteTimeSpan);
                    return null;
                }
            }

            _inFlight++;
            return _queue.TakeBatch(MaxBatchSize);
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

    private async Task RunBatchAsync(List<PendingRequest> batch)
    {
        var free = new DeviceSlot(this);
        try
        {
            await InferAsync(batch, free);
        }
        catch (DeviceLostException exception)
        {
            // First the model, then the answers: who asks again after its answer finds it loaded, if it could be.
            await RecoverAsync(exception);
            FailAll(batch, exception);
        }
#pragma warning disable CA1031 // Whatever failed, every request of the batch must be answered.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (batch.Count == 1)
            {
                FailAll(batch, exception);
            }
            else
            {
                LogRetry(_logger, _model.Contract.Name, batch.Count, exception.Message);
                await RetryAloneAsync(batch, free);
            }
        }
        finally
        {
            free.Release();
            foreach (var request in batch)
            {
                request.Release();
            }
        }
    }

    private async Task RetryAloneAsync(List<PendingRequest> batch, DeviceSlot free)
    {
        foreach (var request in batch)
        {
            try
            {
                await InferAsync([request], free);
            }
#pragma warning disable CA1031 // The exception is the answer of this request, and the others still wait for theirs.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                if (exception is DeviceLostException lost)
                {
                    await RecoverAsync(lost);
                    FailAll(batch, lost);
                    return;
                }

                request.Fail(exception);
            }
        }
    }

    private static void FailAll(List<PendingRequest> batch, Exception exception)
    {
        foreach (var request in batch)
        {
            request.Fail(exception);
        }
    }

    /// <summary>Runs those of a batch that are still waited for, and answers them.</summary>
    private async Task InferAsync(List<PendingRequest> batch, DeviceSlot free)
    {
        var live = batch.FindAll(request => !request.IsDone);
        if (live.Count == 0)
        {
            return;
        }

        var taken = _clock.GetTimestamp();
        using var prepared = _model.Detector.Prepare(live[0].Bucket, [.. live.Select(request => request.Image)]);
        var preprocess = _clock.GetElapsedTime(taken);
        var (inferred, inference) = await _device.RunAsync(() => RunDevice(prepared));
        using (inferred)
        {
            // The next batch may have the device while this one's detections are chosen.
            free.Release();
            Rate.Record(inference, live.Count);
            _metrics.RecordBatch(_model.Contract.Name, prepared, inference);
            Answer(live, inferred, preprocess, inference);
        }
    }

    /// <summary>On the device's thread: a lost device is given up before the next batch can use it.</summary>
    private (InferredBatch Inferred, TimeSpan Inference) RunDevice(PreparedBatch prepared)
    {
        var started = _clock.GetTimestamp();
        try
        {
            var inferred = _model.Detector.Infer(prepared);
            return (inferred, _clock.GetElapsedTime(started));
        }
        catch (DeviceLostException)
        {
            _model.MarkLost();
            throw;
        }
    }

    private void Answer(List<PendingRequest> live, InferredBatch inferred, TimeSpan preprocess, TimeSpan inference)
    {
        List<Exception>? failures = null;
        for (var i = 0; i < live.Count; i++)
        {
            var start = _clock.GetTimestamp();
            try
            {
                var detections = inferred.Select(i);
                live[i].Complete(new InferredImage(
                    detections,
                    live.Count,
                    preprocess,
                    inference,
                    _clock.GetElapsedTime(start)));
            }
#pragma warning disable CA1031 // One image's failure is not the others'.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                (failures ??= []).Add(exception);
            }
        }

        if (failures is not null)
        {
            // Those without an answer are tried alone, or fail if they were alone.
            throw live.Count == 1 ? failures[0] : new AggregateException(failures);
        }
    }

    private async Task RecoverAsync(DeviceLostException exception)
    {
        LogDeviceLost(_logger, _model.Contract.Name, exception);
        var recovered = await _device.RunAsync(_model.TryReload);
        if (recovered is not null)
        {
            LogReloadFailed(_logger, _model.Contract.Name, recovered);
        }
    }

    private void ReleaseDevice()
    {
        lock (_gate)
        {
            _inFlight--;
        }

        Wake();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Model {Model}: a batch of {Count} failed ({Reason}); each of its images is tried alone")]
    private static partial void LogRetry(ILogger logger, string model, int count, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: the device was lost; the model is loaded again")]
    private static partial void LogDeviceLost(ILogger logger, string model, Exception exception);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: loading it again failed; the next request tries once more")]
    private static partial void LogReloadFailed(ILogger logger, string model, Exception exception);

    /// <summary>A batch's claim to the device, given up once.</summary>
    private sealed class DeviceSlot(DynamicBatcher batcher)
    {
        private DynamicBatcher? _batcher = batcher;

        public void Release() => Interlocked.Exchange(ref _batcher, null)?.ReleaseDevice();
    }
}
