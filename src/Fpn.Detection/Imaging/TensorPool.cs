using System.Numerics;

namespace Fpn.Detection.Imaging;

/// <summary>Pinned float arrays for reuse, bounded in bytes; thread-safe.</summary>
/// <remarks>Lengths are rounded up to one of eight sizes between two powers of two, so that batches of nearly the same
/// shape share arrays at a cost of at most one eighth. When the idle arrays exceed the bound, those unused for longest
/// go to the garbage collector.</remarks>
internal sealed class TensorPool(long maxIdleBytes)
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

    /// <summary>An array of at least <paramref name="length"/> values, undefined and pinned.</summary>
    internal float[] Rent(int length)
    {
        var rounded = RoundUp(length);
        lock (_lock)
        {
            // The newest first: its pages are the likeliest to be in a cache.
            for (var i = _idle.Count - 1; i >= 0; i--)
            {
                if (_idle[i].Length == rounded)
                {
                    var found = _idle[i];
                    _idle.RemoveAt(i);
                    _idleBytes -= Bytes(found);
                    return found;
                }
            }
        }

        return GC.AllocateUninitializedArray<float>(rounded, pinned: true);
    }

    /// <summary>Takes back an array that came from <see cref="Rent"/>; nobody may use it any more.</summary>
    internal void Return(float[] values)
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

    /// <summary>The next size class; at most <see cref="Array.MaxLength"/>.</summary>
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
}
