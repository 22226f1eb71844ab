namespace Fpn.Models;

/// <summary>Bounds how many callers do something at the same time.</summary>
/// <param name="count">How many, at least 1.</param>
#pragma warning disable CA1001 // Nothing asks for its wait handle, the only thing that would have to be freed.
internal sealed class Turns(int count)
#pragma warning restore CA1001
{
    private readonly SemaphoreSlim _free = new(count);

    /// <summary>Waits for a turn. Blocks.</summary>
    /// <returns>Disposing it ends the turn.</returns>
    /// <exception cref="OperationCanceledException">The wait was given up; nothing was taken.</exception>
    public Turn Enter(CancellationToken cancellationToken)
    {
        _free.Wait(cancellationToken);
        return new Turn(_free);
    }

    /// <inheritdoc cref="Enter"/>
    /// <summary>Waits for a turn.</summary>
    public async ValueTask<Turn> EnterAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        return new Turn(_free);
    }

    /// <summary>A turn that was taken.</summary>
    internal readonly struct Turn(SemaphoreSlim free) : IDisposable
    {
        /// <summary>Ends it; to be called once.</summary>
        public void Dispose() => free.Release();
    }
}
