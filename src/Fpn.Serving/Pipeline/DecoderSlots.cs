namespace Fpn.Serving.Pipeline;

/// <summary>Bounds how many pictures are decoded, or drawn upon and encoded, side by side.</summary>
/// <param name="count">Pictures at the same time.</param>
internal sealed class DecoderSlots(int count) : IDisposable
{
    private readonly SemaphoreSlim _free = new(count);

    /// <summary>Waits for a slot.</summary>
    /// <returns>Disposing it frees the slot.</returns>
    /// <exception cref="OperationCanceledException">The wait was given up; nothing was taken.</exception>
    public async ValueTask<Slot> EnterAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        return new Slot(_free);
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    /// <summary>A slot that is taken.</summary>
    internal readonly struct Slot(SemaphoreSlim free) : IDisposable
    {
        /// <summary>Frees it; to be called once.</summary>
        public void Dispose() => free.Release();
    }
}
