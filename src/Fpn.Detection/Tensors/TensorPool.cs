using System.Numerics;
using System.Runtime.InteropServices;

namespace Fpn.Detection.Tensors;

/// <summary>Pinned arrays for reuse, bounded in bytes; thread-safe.</summary>
/// <remarks>
/// Lengths are rounded up to one of eight sizes between two powers of two, so that batches of nearly the same shape
/// share arrays at a cost of at most one eighth. When the idle arrays exceed the bound, those unused for longest go to
/// the garbage collector, and so does memory that is never disposed. Arrays hold floats whatever the pixel type: an
/// array of floats reaches 8 GiB, one of bytes only 2 GiB.
/// </remarks>
internal sealed class TensorPool(long maxIdleBytes) : ITensorMemoryPool
{
    private const int SmallestLength = 1 << 12;

    private readonly Lock _lock = new();
    private readonly List<float[]> _idle = [];
    private long _idleBytes;

    /// <summary>Keeps at most an eighth of the memory that the process may use.</summary>
    internal static TensorPool Shared { get; } = new(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8);

    /// <summary>Bytes of the arrays that wait in the pool.</summary>
    internal long IdleBytes
    {
        get
        {
            lock (_lock)
            {
                return _idleBytes;
            }
        }
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentOutOfRangeException">Below 1, or more than an array of floats can hold.</exception>
    public TensorMemory Rent(long bytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytes, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bytes, (long)Array.MaxLength * sizeof(float));
        var rounded = RoundUp((int)((bytes + sizeof(float) - 1) / sizeof(float)));
        return new PinnedMemory(this, Take(rounded) ?? GC.AllocateUninitializedArray<float>(rounded, pinned: true));
    }

    /// <summary>The next size class of an array, in floats; at most <see cref="Array.MaxLength"/>.</summary>
    internal static int RoundUp(int length)
    {
        if (length <= SmallestLength)
        {
            return SmallestLength;
        }

        var step = 1L << (BitOperations.Log2((uint)length - 1) - 3);
        return (int)Math.Min((length + step - 1) / step * step, Array.MaxLength);
    }

    private static long Bytes(float[] values) => (long)values.Length * sizeof(float);

    private float[]? Take(int length)
    {
        lock (_lock)
        {
            // The newest first: its pages are most likely still cached.
            for (var i = _idle.Count - 1; i >= 0; i--)
            {
                if (_idle[i].Length == length)
                {
                    var found = _idle[i];
                    _idle.RemoveAt(i);
                    _idleBytes -= Bytes(found);
                    return found;
                }
            }
        }

        return null;
    }

    private void Return(float[] values)
    {
        lock (_lock)
        {
            _idle.Add(values);
            _idleBytes += Bytes(values);
            while (_idleBytes > maxIdleBytes)
            {
                _idleBytes -= Bytes(_idle[0]);
                _idle.RemoveAt(0);
            }
        }
    }

    private sealed class PinnedMemory(TensorPool pool, float[] values)
        : TensorMemory(Marshal.UnsafeAddrOfPinnedArrayElement(values, 0), Bytes(values))
    {
        protected override void Release() => pool.Return(values);
    }
}
