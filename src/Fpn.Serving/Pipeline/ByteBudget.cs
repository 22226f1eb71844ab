namespace Fpn.Serving.Pipeline;

/// <summary>Bounds the bytes of decoded images in flight: requests beyond the limit wait, first come, first
/// served.</summary>
/// <param name="limit">Bytes in flight at most. One image that is larger alone may pass when nothing else is in
/// flight.</param>
internal sealed class ByteBudget(long limit)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<Waiter> _waiters = [];
    private long _used;

    /// <summary>Bytes in flight at most.</summary>
    public long Limit => limit;

    /// <summary>Bytes in flight.</summary>
    public long Used
    {
        get
        {
            lock (_gate)
            {
                return _used;
            }
        }
    }

    /// <summary>Takes bytes, after waiting until there is room.</summary>
    /// <returns>Give it back by disposing it.</returns>
    /// <exception cref="OperationCanceledException">The wait was given up; nothing was taken.</exception>
    public async ValueTask<IDisposable> TakeAsync(long bytes, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_gate)
        {
            if (_waiters.Count == 0 && Fits_NeedsLock(bytes))
            {
                _used += bytes;
                return new Share(this, bytes);
            }

            waiter = new Waiter(bytes);
            _waiters.AddLast(waiter);
        }

        await using var registration = cancellationToken.Register(() => GiveUp(waiter, cancellationToken));
        return await waiter.Completion.Task;
    }

    private bool Fits_NeedsLock(long bytes) => _used + bytes <= limit || _used == 0;

    private void GiveUp(Waiter waiter, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_waiters.Remove(waiter))
            {
                return;
            }

            Admit_NeedsLock();
        }

        waiter.Completion.TrySetCanceled(cancellationToken);
    }

    private void Return(long bytes)
    {
        lock (_gate)
        {
            _used -= bytes;
            Admit_NeedsLock();
        }
    }

    private void Admit_NeedsLock()
    {
        while (_waiters.First is { } first && Fits_NeedsLock(first.Value.Bytes))
        {
            _waiters.RemoveFirst();
            _used += first.Value.Bytes;
            first.Value.Completion.SetResult(new Share(this, first.Value.Bytes));
        }
    }

    private sealed class Waiter(long bytes)
    {
        public long Bytes { get; } = bytes;

        public TaskCompletionSource<IDisposable> Completion { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private sealed class Share(ByteBudget budget, long bytes) : IDisposable
    {
        private ByteBudget? _budget = budget;

        public void Dispose() => Interlocked.Exchange(ref _budget, null)?.Return(bytes);
    }
}
