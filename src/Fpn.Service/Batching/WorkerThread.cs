using System.Threading.Channels;

namespace Fpn.Service.Batching;

/// <summary>The device's own thread: runs are blocking and follow one another, and no thread-pool thread waits for them.</summary>
internal sealed class WorkerThread : IDisposable
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Thread _thread;

    /// <summary>Starts the thread.</summary>
    public WorkerThread(string name)
    {
        _thread = new Thread(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>Runs a function after all that were handed in before it.</summary>
    /// <returns>Its result or exception; continuations run elsewhere.</returns>
    /// <exception cref="ObjectDisposedException">The thread was told to end.</exception>
    public Task<T> RunAsync<T>(Func<T> function)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accepted = _work.Writer.TryWrite(() =>
        {
            try
            {
                completion.SetResult(function());
            }
#pragma warning disable CA1031 // Whatever it was, it belongs to the caller, and the thread must go on.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                completion.SetException(exception);
            }
        });
        ObjectDisposedException.ThrowIf(!accepted, this);
        return completion.Task;
    }

    /// <summary>Lets the thread end after what it was handed.</summary>
    public void Dispose()
    {
        _work.Writer.TryComplete();
        _thread.Join();
    }

    private void Run()
    {
        // A thread of its own may block; this is the only place where one does.
        while (_work.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_work.Reader.TryRead(out var action))
            {
                action();
            }
        }
    }
}
