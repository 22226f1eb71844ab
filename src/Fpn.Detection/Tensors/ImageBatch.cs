using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tensors;

/// <summary>A pooled input tensor of N images, row-major, in memory that never moves; shapes as
/// <see cref="PixelType"/> says.</summary>
/// <remarks>
/// Disposing returns the memory to the pool: nothing may read or write it afterwards, so dispose only when the
/// inference that uses <see cref="Address"/> has ended, and keep the batch referenced until then, since an address or a
/// span does not. Not thread-safe, but different images may be filled by different threads;
/// <see cref="Dispose"/> may be called more than once and from any thread.
/// </remarks>
public sealed unsafe class ImageBatch : IDisposable
{
    private readonly TensorMemory _memory;

    private ImageBatch(TensorMemory memory, int count, ImageSize padded, PixelType type)
    {
        _memory = memory;
        Count = count;
        Size = padded;
        Type = type;
        ImageLength = 3 * padded.Height * padded.Width;
    }

    /// <summary>N, the number of images.</summary>
    public int Count { get; }

    /// <summary>H × W, the padded size of every image.</summary>
    public ImageSize Size { get; }

    /// <summary>Type and order of the values.</summary>
    public PixelType Type { get; }

    /// <summary>Values of one image: 3 · H · W.</summary>
    public int ImageLength { get; }

    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteLength => Count * ImageBytes;

    /// <summary>The tensor's first byte.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public nint Address => _memory.Address;

    private long ImageBytes => (long)ImageLength * ValueSize(Type);

    /// <summary>Rents a tensor from a pool.</summary>
    /// <param name="count">N, at least 1.</param>
    /// <param name="padded">H × W, both at least 1.</param>
    /// <param name="type">Type and order of the values.</param>
    /// <param name="pool">Lends the memory; null for pinned arrays that the process keeps for all batches.</param>
    /// <returns>A batch whose values are undefined: write or clear every image.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, the type is unknown, or the tensor would have
    /// more than <see cref="Array.MaxLength"/> values.</exception>
    /// <exception cref="InvalidOperationException">The pool returned less memory than requested.</exception>
    public static ImageBatch Rent(
        int count, ImageSize padded, PixelType type = PixelType.Float32, ITensorMemoryPool? pool = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(padded.Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(padded.Width, 1);
        // Area is below 2^62: times three it fits 64 bits unsigned, and the division keeps the product out of the test.
        if ((ulong)padded.Area * 3 > (ulong)(Array.MaxLength / count))
        {
            throw new ArgumentOutOfRangeException(
                nameof(padded), padded, $"{count} images of this size do not fit one tensor.");
        }

        var bytes = count * padded.Area * 3 * ValueSize(type);
        var memory = (pool ?? TensorPool.Shared).Rent(bytes);
        if (memory.Length < bytes)
        {
            memory.Dispose();
            throw new InvalidOperationException($"The pool returned {memory.Length} bytes where {bytes} are needed.");
        }

        return new ImageBatch(memory, count, padded, type);
    }

    /// <summary>Returns one image of the batch.</summary>
    /// <typeparam name="T">float, <see cref="Half"/> or byte, as <see cref="Type"/> says.</typeparam>
    /// <param name="index">0 … <see cref="Count"/> − 1.</param>
    /// <returns>[3, H, W] values, or [H, W, 3] bytes; valid while the batch is referenced and not disposed.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    /// <exception cref="InvalidOperationException">The batch holds values of another type.</exception>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public Span<T> Image<T>(int index)
        where T : unmanaged
    {
        if (typeof(T) != ValueType(Type))
        {
            throw new InvalidOperationException($"A batch of {Type} cannot be read as {typeof(T).Name}.");
        }

        return new Span<T>(ImageStart(index), ImageLength);
    }

    /// <summary>Fills an image with zeros, for a place in the batch that no picture takes.</summary>
    /// <param name="index">0 … <see cref="Count"/> − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public void Clear(int index) => ClearRows(index, 0);

    /// <summary>Returns the memory to its pool; later calls do nothing.</summary>
    public void Dispose() => _memory.Dispose();

    /// <summary>Returns the first byte of an image.</summary>
    /// <inheritdoc cref="Clear"/>
    internal byte* ImageStart(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return (byte*)Address + index * ImageBytes;
    }

    /// <summary>Fills the rows of an image from <paramref name="first"/> on with zeros, in each of its
    /// planes.</summary>
    /// <inheritdoc cref="Clear"/>
    /// <param name="index">0 … <see cref="Count"/> − 1.</param>
    /// <param name="first">0 … H.</param>
    internal void ClearRows(int index, int first)
    {
        var planes = Type == PixelType.UInt8 ? 1 : 3;
        var planeBytes = ImageBytes / planes;
        var skipped = planeBytes / Size.Height * first;
        var start = ImageStart(index) + skipped;
        for (var plane = 0; plane < planes; plane++, start += planeBytes)
        {
            NativeMemory.Clear(start, (nuint)(planeBytes - skipped));
        }

        GC.KeepAlive(this);
    }

    private static Type ValueType(PixelType type) => type switch
    {
        PixelType.Float32 => typeof(float),
        PixelType.Float16 => typeof(Half),
        _ => typeof(byte),
    };

    private static int ValueSize(PixelType type) => type switch
    {
        PixelType.Float32 => sizeof(float),
        PixelType.Float16 => sizeof(ushort),
        PixelType.UInt8 => sizeof(byte),
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Unknown pixel type."),
    };
}
