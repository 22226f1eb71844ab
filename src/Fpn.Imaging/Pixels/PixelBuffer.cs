using System.Runtime.InteropServices;

namespace Fpn.Imaging.Pixels;

/// <summary>Memory for pixels outside the managed heap; counted by <see cref="NativeImageMemory"/>.</summary>
internal sealed unsafe class PixelBuffer : SafeHandle
{
    private readonly int _length;

    private PixelBuffer(void* memory, int length)
        : base(0, ownsHandle: true)
    {
        _length = length;
        SetHandle((nint)memory);
        NativeImageMemory.Add(length);
    }

    /// <summary>Allocates memory, not cleared.</summary>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    internal static PixelBuffer Allocate(int length)
    {
        try
        {
            return new PixelBuffer(NativeMemory.Alloc((nuint)length), length);
        }
        catch (OutOfMemoryException exception)
        {
            throw new InsufficientMemoryException($"No {length} bytes for a picture.", exception);
        }
    }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>All bytes.</summary>
    /// <exception cref="ObjectDisposedException">The memory was freed.</exception>
    internal Span<byte> Bytes
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
        NativeMemory.Free((void*)handle);
        NativeImageMemory.Add(-_length);
        return true;
    }
}
