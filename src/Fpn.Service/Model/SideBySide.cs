using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Fpn.Service.Model;

/// <summary>Something that is to happen several times at once, as a thread pool would not promise.</summary>
internal static class SideBySide
{
    /// <summary>Runs it on threads of its own, which begin together. Blocks until all have ended.</summary>
    /// <param name="times">How many threads; at least 1.</param>
    /// <param name="action">What each of them does. The first failure is thrown here.</param>
    public static void Run(int times, Action action)
    {
        var failures = new ConcurrentQueue<Exception>();
        using var together = new Barrier(times);
        var threads = Enumerable.Range(0, times).Select(_ => new Thread(RunOne) { IsBackground = true }).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        if (failures.TryDequeue(out var failure))
        {
            ExceptionDispatchInfo.Throw(failure);
        }

        void RunOne()
        {
            together.SignalAndWait();
            try
            {
                action();
            }
#pragma warning disable CA1031 // Whatever it was, it is thrown on the caller's thread.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failures.Enqueue(exception);
            }
        }
    }
}
