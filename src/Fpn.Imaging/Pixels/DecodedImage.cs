using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;

namespace Fpn.Imaging.Pixels;

/// <summary>A decoded picture in native memory: [H, W, 3] 8-bit sRGB, row-major, no gaps.</summary>
/// <remarks>Not thread-safe while it is being disposed: <see cref="Pixels"/> must not be read during or after
/// <see cref="Dispose"/>. A forgotten instance is freed by the handle's finalizer.</remarks>
internal sealed class DecodedImage : IDisposable
{
    private readonly PixelBuffer _buffer;

    internal DecodedImage(ImageFormat format, ImageSize size, PixelBuffer buffer)
    {
        Format = format;
        Size = size;
        _buffer = buffer;
    }

    /// <summary>The format of the file.</summary>
    public ImageFormat Format { get; }

    /// <summary>The size as displayed: after EXIF orientation.</summary>
    public ImageSize Size { get; }

    /// <summary>[H, W, 3] red, green, blue; valid until <see cref="Dispose"/>.</summary>
    /// <exception cref="ObjectDisposedException">The image was disposed.</exception>
    public ReadOnlySpan<byte> Pixels => _buffer.Bytes[..checked((int)(Size.Area * 3))];

    /// <summary>The same pixels, for an owner that changes the image.</summary>
    /// <exception cref="ObjectDisposedException">The image was disposed.</exception>
    internal Span<byte> WritablePixels => _buffer.Bytes[..checked((int)(Size.Area * 3))];

    /// <summary>Frees the pixels; later calls do nothing.</summary>
    public void Dispose() => _buffer.Dispose();
}
