using System.Diagnostics;
using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;
using Fpn.Serving.Requests;
using Fpn.Serving.Telemetry;

namespace Fpn.Serving.Queue;

/// <summary>A request whose image is decoded and waits for the device, and the promise of its answer.</summary>
/// <param name="request">The request.</param>
/// <param name="image">What the model sees of its image.</param>
/// <param name="picture">The picture; held by the holder of this: the queue, then the batch.</param>
/// <param name="bucket">The size that its batch is padded to.</param>
/// <param name="weight">How many images it is worth on the device.</param>
/// <param name="enqueuedAt">Time stamp of its arrival.</param>
internal sealed class PendingRequest(
    DetectionRequest request, MeasuredImage image, IDisposable picture, ImageSize bucket, int weight, long enqueuedAt)
{
    private readonly TaskCompletionSource<InferredImage> _completion =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The request.</summary>
    public DetectionRequest Request { get; } = request;

    /// <summary>Its image, measured by the model that will run it.</summary>
    public MeasuredImage Image { get; } = image;

    /// <summary>Only requests of the same bucket share a batch.</summary>
    public ImageSize Bucket { get; } = bucket;

    /// <summary>How many images it is worth on the device.</summary>
    public int Weight { get; } = weight;

    /// <summary>The span that its batch links to; default while there is no listener.</summary>
    public ActivityContext Trace { get; } = DetectionTracing.Current;

    /// <summary>Time stamp of its arrival.</summary>
    public long EnqueuedAt { get; } = enqueuedAt;

    /// <summary>The answer. Completed once; a second completion changes nothing.</summary>
    public Task<InferredImage> Completion => _completion.Task;

    /// <summary>Whether the request is answered or given up.</summary>
    public bool IsDone => _completion.Task.IsCompleted;

    /// <summary>Lets the picture go.</summary>
    public void Release() => picture.Dispose();

    /// <summary>Answers.</summary>
    public void Complete(InferredImage result) => _completion.TrySetResult(result);

    /// <summary>Answers with a failure.</summary>
    public void Fail(Exception exception)
    {
        if (_completion.TrySetException(exception))
        {
            // Observed here: a client that went away does not look at it.
            _ = _completion.Task.Exception;
        }
    }

    /// <summary>Gives up.</summary>
    /// <returns>False when it was answered already.</returns>
    public bool Cancel(CancellationToken cancellationToken) => _completion.TrySetCanceled(cancellationToken);
}
