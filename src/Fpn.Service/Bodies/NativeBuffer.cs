using System.Buffers;
using System.Runtime.InteropServices;
using Fpn.Imaging.Pixels;

namespace Fpn.Service.Bodies;

/// <summary>A growing buffer outside the managed heap.</summary>
/// <remarks>
/// Encoded photographs are megabytes long and live for one request. On the managed heap each would bring the next full
/// collection nearer, and a pool of such arrays keeps hundreds of megabytes for good after a few large ones.
/// Not thread-safe, and to be disposed: there is no finalizer, which could free memory that a span still shows.
/// </remarks>
internal sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private void* _start;
    private int _capacity;

    /// <summary>Allocates.</summary>
    /// <param name="capacity">Bytes, at least 1.</param>
    public NativeBuffer(int capacity) => Grow(capacity);

    /// <summary>Bytes that there is room for.</summary>
    public int Capacity => _capacity;

    /// <summary>Makes room; the content stays, memory handed out before is void.</summary>
    /// <exception cref="OutOfMemoryException">There is not so much; the buffer stays as it was.</exception>
    public void Grow(int capacity)
    {
        _start = NativeMemory.Realloc(_start, (nuint)capacity);
        NativeImageMemory.Add(capacity - _capacity);
        _capacity = capacity;
    }

    /// <inheritdoc/>
    public override Span<byte> GetSpan()
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        return new Span<byte>(_start, _capacity);
    }

    /// <inheritdoc/>
    public override MemoryHandle Pin(int elementIndex = 0)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)elementIndex, (uint)_capacity);
        return new MemoryHandle((byte*)_start + elementIndex, pinnable: this);
    }

    /// <inheritdoc/>
    public override void Unpin()
    {
        // Native memory does not move.
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_start is not null)
        {
            NativeMemory.Free(_start);
            NativeImageMemory.Add(-_capacity);
            _start = null;
            _capacity = 0;
        }
    }
}
