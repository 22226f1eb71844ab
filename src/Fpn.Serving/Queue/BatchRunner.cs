using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Serving.Requests;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Queue;

/// <summary>Takes one batch after the other through a model: prepare, device, select, answer.</summary>
/// <remarks>
/// When a batch of several images fails, each is tried alone, so that a poisoned image fails alone. When the device is
/// lost, the requests that were on it fail, and the model is loaded again before the next batch: once for one failure
/// of the device, however many batches meet it.
/// </remarks>
/// <param name="model">The model; its detector is used by this runner alone.</param>
/// <param name="device">Run the graphs; may be shared with other models.</param>
/// <param name="metrics">Counts.</param>
/// <param name="clock">The clock.</param>
/// <param name="logger">Logs failures.</param>
internal sealed partial class BatchRunner(
    ModelEntry model, WorkerThreads device, DetectionMetrics metrics, TimeProvider clock, ILogger logger)
    : IAsyncDisposable
{
    /// <summary>Between tries to load a lost model; requests may not cause one, since the service is not
    /// ready.</summary>
    private static readonly TimeSpan ReloadPause = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private ITimer? _reload;
    private Task _reloading = Task.CompletedTask;
    private int _lossesSeen;
    private bool _disposed;
    private long _lastRunEnded = long.MinValue;

    /// <summary>The model's counters.</summary>
    public ModelMetrics Metrics { get; } = metrics.ForModel(model.Contract);

    /// <summary>Batches that the device runs at the same time.</summary>
    public int Streams => device.Count;

    /// <summary>How fast the model answers.</summary>
    public ServiceRate Rate { get; } = new();

    /// <summary>Ends the tries to load a lost model and waits for the one that is under way. To be called when the
    /// batches have ended.</summary>
    public async ValueTask DisposeAsync()
    {
        Task reloading;
        lock (_gate)
        {
            _disposed = true;
            _reload?.Dispose();
            reloading = _reloading;
        }

        await reloading;
    }

    /// <summary>Runs a batch and answers all its requests; never throws.</summary>
    /// <param name="batch">Taken from the queue; their images are freed at the end.</param>
    /// <param name="deviceIsFree">Called once, as soon as the next batch may have the device.</param>
    public async Task RunAsync(List<PendingRequest> batch, Action deviceIsFree)
    {
        var free = new DeviceSlot(deviceIsFree);
        var wasLost = model.IsLost;
        try
        {
            await InferAsync(batch, free);
        }
        catch (DeviceLostException exception)
        {
            // Reload before answering, so that a client's retry finds the model loaded.
            await RecoverAsync(exception, wasLost);
            FailAll(batch, exception);
        }
#pragma warning disable CA1031 // Every request of the batch must be answered, whatever failed.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            if (batch.Count == 1)
            {
                FailAll(batch, exception);
            }
            else
            {
                LogRetry(logger, model.Contract.Name, batch.Count, exception.Message);
                await RetryAloneAsync(batch, free, wasLost);
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

    private async Task RetryAloneAsync(List<PendingRequest> batch, DeviceSlot free, bool wasLost)
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
                    await RecoverAsync(lost, wasLost);
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
        var live = batch.Exists(request => request.IsDone) ? batch.FindAll(request => !request.IsDone) : batch;
        if (live.Count == 0)
        {
            return;
        }

        using var trace = DetectionTracing.StartBatch(model.Contract, live, request => request.Trace);
        try
        {
            var taken = clock.GetTimestamp();
            using var prepared = model.Detector.Prepare(live[0].Bucket, live.ConvertAll(request => request.Image));
            var preprocess = new StageSpan(taken, clock.GetElapsedTime(taken));
            var (inferred, inference) = await device.RunAsync(() => RunDevice(prepared, live));
            using (inferred)
            {
                // The next batch may have the device while this one's detections are chosen.
                free.Release();
                Metrics.RecordBatch(prepared, inference.Time);
                var run = new BatchRun(live.Count, preprocess, inference, inferred.Times, trace?.Context ?? default);
                Answer(live, inferred, run);
            }
        }
        catch (Exception exception)
        {
            DetectionTracing.SetFailed(trace, FailureReason.FromException(exception));
            throw;
        }
    }

    /// <summary>On a thread of the device.</summary>
    private (InferredBatch Inferred, StageSpan Inference) RunDevice(
        PreparedBatch prepared, List<PendingRequest> live)
    {
        var started = clock.GetTimestamp();
        var inferred = model.Infer(prepared);
        var ended = clock.GetTimestamp();

        // Of runs side by side, each counts from the end of the one before: together they took no longer.
        var before = Interlocked.Exchange(ref _lastRunEnded, ended);
        var images = live.Sum(request => request.Weight);
        Rate.Record(clock.GetElapsedTime(Math.Max(started, before), ended), images);
        return (inferred, new StageSpan(started, clock.GetElapsedTime(started, ended)));
    }

    private void Answer(List<PendingRequest> live, InferredBatch inferred, BatchRun run)
    {
        List<Exception>? failures = null;
        for (var i = 0; i < live.Count; i++)
        {
            var start = clock.GetTimestamp();
            try
            {
                var request = live[i].Request;
                var proposals = request.Task is ProposalTask ? inferred.Propose(i) : null;
                var regions = request.Task is RegionTask task ? inferred.Classify(i, task) : null;
                var explanation = request.Explain ? inferred.Explain(i) : null;
                var detections = explanation is not null ? explanation.Objects
                    : request.Task == ImageTask.Detection ? inferred.Select(i)
                    : [];
                var postprocess = new StageSpan(start, clock.GetElapsedTime(start));
                live[i].Complete(new InferredImage(detections, run, postprocess)
                {
                    Explanation = explanation,
                    Proposals = proposals,
                    Regions = regions,
                });
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

    /// <summary>Counts a failure of the device that was not met before, and waits until the model was loaded again or
    /// that failed.</summary>
    /// <param name="exception">The failure that the batch met.</param>
    /// <param name="wasLost">Whether the device was lost before the batch: it is another try's turn then, unless one is
    /// under way.</param>
    private Task RecoverAsync(DeviceLostException exception, bool wasLost)
    {
        lock (_gate)
        {
            var isNew = model.Losses > _lossesSeen;
            if (isNew)
            {
                _lossesSeen = model.Losses;
                LogDeviceLost(logger, model.Contract.Name, exception);
                Metrics.RecordDeviceLost();
            }

            if (isNew || (wasLost && _reloading.IsCompleted))
            {
                _reloading = ReloadAsync(_reloading);
            }

            return _reloading;
        }
    }

    /// <param name="before">The try before, which may have loaded what was lost since.</param>
    private async Task ReloadAsync(Task before)
    {
        await before;
        if (await device.RunAsync(model.TryReload) is { } failure)
        {
            LogReloadFailed(logger, model.Contract.Name, failure);
            lock (_gate)
            {
                if (_disposed)
                {
                    return;
                }

                _reload ??= clock.CreateTimer(
                    _ => ReloadLater(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _reload.Change(ReloadPause, Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void ReloadLater()
    {
        lock (_gate)
        {
            if (!_disposed)
            {
                _reloading = ReloadAsync(_reloading);
            }
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Model {Model}: a batch of {Count} failed ({Reason}); each of its images is tried alone")]
    private static partial void LogRetry(ILogger logger, string model, int count, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model}: the device was lost; the model is loaded again")]
    private static partial void LogDeviceLost(ILogger logger, string model, Exception exception);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Model {Model}: loading it again failed; the next request tries once more, or a timer does")]
    private static partial void LogReloadFailed(ILogger logger, string model, Exception exception);

    /// <summary>A batch's claim to the device, given up once.</summary>
    private sealed class DeviceSlot(Action deviceIsFree)
    {
        private Action? _deviceIsFree = deviceIsFree;

        public void Release() => Interlocked.Exchange(ref _deviceIsFree, null)?.Invoke();
    }
}
