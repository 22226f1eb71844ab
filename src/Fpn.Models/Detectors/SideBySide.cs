using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Fpn.Models.Detectors;

/// <summary>Does things at the same time, with the exceptions of things done one after the other.</summary>
internal static class SideBySide
{
    private static readonly ParallelOptions OneEachProcessor = new()
    {
        MaxDegreeOfParallelism = Environment.ProcessorCount,
    };

    /// <summary>Does something for each number, on as many processors as there are; a single one costs no
    /// more.</summary>
    /// <param name="count">The numbers are 0 … count − 1.</param>
    /// <param name="action">What is done. One of the failures is thrown here.</param>
    public static void ForEach(int count, Action<int> action)
    {
        if (count == 1)
        {
            action(0);
            return;
        }

        try
        {
            Parallel.For(0, count, OneEachProcessor, action);
        }
        catch (AggregateException exception)
        {
            // The caller sees the failure itself, not that several threads were at work.
            ExceptionDispatchInfo.Throw(exception.InnerExceptions[0]);
        }
    }

    /// <summary>
    /// Runs something several times at once, as a thread pool would not promise: on threads of its own, which begin
    /// together. Blocks until all have ended.
    /// </summary>
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
#pragma warning disable CA1031 // Any failure is thrown again on the caller's thread.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                failures.Enqueue(exception);
            }
        }
    }
}
