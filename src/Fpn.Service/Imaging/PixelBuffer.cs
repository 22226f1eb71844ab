using System.Runtime.InteropServices;

namespace Fpn.Service.Imaging;

/// <summary>Memory for decoded pixels that GLib allocated; counted by <see cref="NativeImageMemory"/>.</summary>
internal sealed class PixelBuffer : SafeHandle
{
    private readonly int _length;

    /// <summary>Takes ownership of memory from <c>vips_image_write_to_memory</c>.</summary>
    internal PixelBuffer(nint memory, int length)
        : base(0, ownsHandle: true)
    {
        _length = length;
        SetHandle(memory);
        NativeImageMemory.Add(length);
    }

    /// <summary>New memory, not cleared.</summary>
    /// <exception cref="InsufficientMemoryException">There is not enough.</exception>
    internal static PixelBuffer Allocate(int length)
    {
        // Not every caller has a decoder: the library is found only once it was initialised.
        Vips.Initialise();
        var memory = Vips.Allocate((nuint)length);
        return memory != 0 ? new PixelBuffer(memory, length) : throw new InsufficientMemoryException($"No {length} bytes for a picture.");
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>All bytes.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    internal unsafe Span<byte> Bytes
    {
        get
        {
            ObjectDisposedException.ThrowIf(IsClosed, this);
            return new Span<byte>((void*)handle, _length);
        }
    }

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Vips.Free(handle);
        NativeImageMemory.Add(-_length);
        return true;
    }
}
