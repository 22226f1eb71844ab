using System.Buffers;
using System.Runtime.InteropServices;
using Fpn.Imaging.Pixels;

namespace Fpn.Service.Bodies;

/// <summary>A growing buffer outside the managed heap.</summary>
/// <remarks>
/// Encoded photographs are megabytes long and live for one request. On the managed heap each would bring the next full
/// collection nearer, and a pool of such arrays keeps hundreds of megabytes for good after a few large ones.
/// Not thread-safe, and must be disposed: a finalizer could free memory that a span still refers to.
/// </remarks>
internal sealed unsafe class NativeBuffer : MemoryManager<byte>
{
    private void* _start;
    private int _capacity;

    /// <summary>Allocates the buffer.</summary>
    /// <param name="capacity">Bytes, at least 1.</param>
    public NativeBuffer(int capacity) => Grow(capacity);

    /// <summary>Capacity in bytes.</summary>
    public int Capacity => _capacity;

    /// <summary>Enlarges the buffer; the content stays, memory handed out before is no longer valid.</summary>
    /// <exception cref="OutOfMemoryException">There is too little memory; the buffer stays as it was.</exception>
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
