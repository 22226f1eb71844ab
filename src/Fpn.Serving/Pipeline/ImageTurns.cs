using Fpn.Serving.Lanes;

namespace Fpn.Serving.Pipeline;

/// <summary>What the images of one request share on their way into the queue: those that have no room beside each other
/// take turns.</summary>
/// <remarks>Without it a request of several images with many views would be refused however often it is sent, also by
/// an idle service. Thread-safe; all images are for one lane.</remarks>
internal sealed class ImageTurns
{
    private readonly Lock _gate = new();
    private TaskCompletionSource? _left;
    private int _inQueue;

    /// <summary>Takes places of the queue for one of the images; while there is no room, and other images of the
    /// request are in the queue, waits for one of them to leave. <see cref="Leave"/> must follow.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="places">Places that the image takes.</param>
    /// <param name="cancellationToken">Gives up the wait.</param>
    /// <returns>False when there is no room and none of the others is in the queue.</returns>
    /// <exception cref="OperationCanceledException">The wait was given up; nothing was taken.</exception>
    public async ValueTask<bool> EnterAsync(ModelLane lane, int places, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task left;
            lock (_gate)
            {
                if (lane.TryEnter(places))
                {
                    _inQueue++;
                    return true;
                }

                if (_inQueue == 0)
                {
                    return false;
                }

                _left ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                left = _left.Task;
            }

            await left.WaitAsync(cancellationToken);
        }
    }

    /// <summary>An image leaves the queue, and all that wait try again.</summary>
    /// <param name="lane">The lane.</param>
    /// <param name="places">The image's places.</param>
    public void Leave(ModelLane lane, int places)
    {
        TaskCompletionSource? left;
        lock (_gate)
        {
            lane.Leave(places);
            _inQueue--;
            (left, _left) = (_left, null);
        }

        left?.SetResult();
    }
}
