using System.Runtime.InteropServices;

namespace Fpn.Detection.Imaging;

/// <summary>A pooled input tensor [N, 3, H, W] float32, row-major, in memory that the garbage collector never moves.</summary>
/// <remarks>Disposing hands the memory back for the next batch: nothing may read or write it afterwards, so dispose
/// only when the inference that was given <see cref="Memory"/> has ended. Not thread-safe, but different images may be
/// filled by different threads; <see cref="Dispose"/> may be called more than once and from any thread.</remarks>
public sealed class ImageBatch : IDisposable
{
    private float[]? _values;

    private ImageBatch(float[] values, int count, ImageSize padded)
    {
        _values = values;
        Count = count;
        Size = padded;
        ImageLength = 3 * padded.Height * padded.Width;
    }

    /// <summary>N, the number of images.</summary>
    public int Count { get; }

    /// <summary>H × W, the size of every plane.</summary>
    public ImageSize Size { get; }

    /// <summary>Values of one image: 3 · H · W.</summary>
    public int ImageLength { get; }

    /// <summary>The whole tensor, N · 3 · H · W values.</summary>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public Memory<float> Memory => MemoryMarshal.CreateFromPinnedArray(Values, 0, Count * ImageLength);

    private float[] Values => _values ?? throw new ObjectDisposedException(nameof(ImageBatch));

    /// <summary>Takes a tensor from the pool, or allocates one that later calls will find there.</summary>
    /// <param name="count">N, at least 1.</param>
    /// <param name="padded">H × W, both at least 1.</param>
    /// <returns>A batch whose values are undefined: write every image completely.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or the tensor would have more than
    /// <see cref="Array.MaxLength"/> values.</exception>
    public static ImageBatch Rent(int count, ImageSize padded)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(padded.Height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(padded.Width, 1);
        // Area is below 2^62: times three it fits 64 bits unsigned, and the division keeps the product out of the test.
        if ((ulong)padded.Area * 3 > (ulong)(Array.MaxLength / count))
        {
            throw new ArgumentOutOfRangeException(nameof(padded), padded, $"{count} images of this size do not fit one array.");
        }

        return new ImageBatch(TensorPool.Shared.Rent(count * 3 * (int)padded.Area), count, padded);
    }

    /// <summary>One image of the batch.</summary>
    /// <param name="index">0 … <see cref="Count"/> − 1.</param>
    /// <returns>[3, H, W] values.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such image.</exception>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public Span<float> Image(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
        return Values.AsSpan(index * ImageLength, ImageLength);
    }

    /// <summary>Hands the memory back to the pool; later calls do nothing.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _values, null) is { } values)
        {
            TensorPool.Shared.Return(values);
        }
    }
}
