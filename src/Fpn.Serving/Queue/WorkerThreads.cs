using System.Threading.Channels;

namespace Fpn.Serving.Queue;

/// <summary>The device's own threads: runs are blocking, and no thread-pool thread waits for them.</summary>
internal sealed class WorkerThreads : IDisposable
{
    private readonly Channel<Action> _work = Channel.CreateUnbounded<Action>();
    private readonly Thread[] _threads;

    /// <summary>Starts the threads.</summary>
    /// <param name="name">Their name in a debugger.</param>
    /// <param name="count">Functions that run at the same time; with 1 they follow one another.</param>
    public WorkerThreads(string name, int count)
    {
        _threads = [.. Enumerable.Range(0, count).Select(_ => new Thread(Run) { IsBackground = true, Name = name })];
        foreach (var thread in _threads)
        {
            thread.Start();
        }
    }

    /// <summary>Number of threads.</summary>
    public int Count => _threads.Length;

    /// <summary>Begins a function after all that were handed in before it.</summary>
    /// <returns>Its result or exception; continuations run elsewhere.</returns>
    /// <exception cref="ObjectDisposedException">The threads are ending.</exception>
    public Task<T> RunAsync<T>(Func<T> function)
    {
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var accepted = _work.Writer.TryWrite(() =>
        {
            try
            {
                completion.SetResult(function());
            }
#pragma warning disable CA1031 // The exception belongs to the caller, and the thread must go on.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                completion.SetException(exception);
            }
        });
        ObjectDisposedException.ThrowIf(!accepted, this);
        return completion.Task;
    }

    /// <summary>Ends the threads after the work that they have been given.</summary>
    public void Dispose()
    {
        _work.Writer.TryComplete();
        foreach (var thread in _threads)
        {
            thread.Join();
        }
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
