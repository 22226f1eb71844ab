namespace Fpn.Detection.Tensors;

/// <summary>Lends memory to batch tensors; thread-safe.</summary>
public interface ITensorMemoryPool
{
    /// <summary>Takes memory, used before or new.</summary>
    /// <param name="bytes">How much; at least 1.</param>
    /// <returns>At least that much, not cleared, aligned for every <see cref="PixelType"/>; the caller disposes
    /// it.</returns>
    TensorMemory Rent(long bytes);
}
