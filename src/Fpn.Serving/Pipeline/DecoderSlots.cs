using Fpn.Models.Options;

namespace Fpn.Serving.Pipeline;

/// <summary>How many pictures are decoded, or drawn upon and encoded, side by side: as many as there are
/// threads.</summary>
/// <param name="execution">The number of threads.</param>
internal sealed class DecoderSlots(ExecutionOptions execution) : IDisposable
{
    private readonly SemaphoreSlim _free = new(execution.Threads);

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
