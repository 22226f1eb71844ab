using System.Collections.Concurrent;
using System.Numerics;
using Fpn.Detection.Tensors;

namespace Fpn.Models.Execution.Devices;

/// <summary>Page-locked memory for batches of images, which a GPU copies from by itself. Thread-safe.</summary>
/// <remarks>
/// Sizes are rounded up to one of four between two powers of two and kept for reuse: with fixed shapes there are few,
/// and as many of a size as batches are on their way at the same time.
/// </remarks>
/// <param name="device">Whose memory it is.</param>
internal sealed class HostMemoryPool(ExecutionDevice device) : ITensorMemoryPool
{
    private const int StepsPerOctave = 4;

    private readonly ConcurrentDictionary<long, ConcurrentBag<DeviceBuffer>> _idle = new();

    /// <summary>Bytes that are kept and not used.</summary>
    public long IdleBytes => _idle.Sum(size => size.Key * size.Value.Count);

    /// <inheritdoc/>
    /// <exception cref="ModelFailureException">There is not so much memory.</exception>
    public TensorMemory Rent(long bytes)
    {
        var size = RoundUp(bytes);
        var idle = _idle.GetOrAdd(size, _ => []);
        return new Lent(idle, idle.TryTake(out var buffer) ? buffer : device.AllocateHost(size));
    }

    /// <summary>Frees memory that is not in use: what batches of other sizes left behind.</summary>
    public void FreeIdle()
    {
        foreach (var idle in _idle.Values)
        {
            while (idle.TryTake(out var buffer))
            {
                buffer.Dispose();
            }
        }
    }

    private static long RoundUp(long bytes)
    {
        var step = Math.Max(1, (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(1, bytes)) / 2 / StepsPerOctave);
        return (Math.Max(1, bytes) + step - 1) / step * step;
    }

    private sealed class Lent(ConcurrentBag<DeviceBuffer> idle, DeviceBuffer buffer)
        : TensorMemory(buffer.Address, buffer.Length)
    {
        protected override void Release() => idle.Add(buffer);
    }
}
