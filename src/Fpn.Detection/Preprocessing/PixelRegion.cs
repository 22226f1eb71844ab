using Fpn.Detection.Geometry;

namespace Fpn.Detection.Preprocessing;

/// <summary>A rectangle of a picture, read where it lies, without a copy.</summary>
public readonly ref struct PixelRegion
{
    private const int BytesPerPixel = 3;

    /// <summary>Takes a rectangle of a picture.</summary>
    /// <param name="pixels">[H, W, 3] sRGB bytes of the whole picture, row-major, no gaps.</param>
    /// <param name="picture">H × W.</param>
    /// <param name="rectangle">The rectangle, inside the picture.</param>
    /// <exception cref="ArgumentException">The bytes do not fit the size, or the rectangle is empty or reaches beyond
    /// the picture.</exception>
    public PixelRegion(ReadOnlySpan<byte> pixels, ImageSize picture, PixelRectangle rectangle)
    {
        if (pixels.Length != picture.Area * BytesPerPixel)
        {
            throw new ArgumentException($"{pixels.Length} bytes are not an image of {picture} pixels.", nameof(pixels));
        }

        if (!rectangle.LiesIn(picture))
        {
            throw new ArgumentException(
                $"The region {rectangle} is not a part of an image of {picture} pixels.", nameof(rectangle));
        }

        // The pixel limit of a span keeps both products below 2^31.
        Stride = picture.Width * BytesPerPixel;
        Size = rectangle.Size;
        var first = rectangle.Top * Stride + rectangle.Left * BytesPerPixel;
        Pixels = pixels.Slice(first, (Size.Height - 1) * Stride + Size.Width * BytesPerPixel);
    }

    /// <summary>From the region's first byte to its last; rows are <see cref="Stride"/> bytes apart.</summary>
    public ReadOnlySpan<byte> Pixels { get; }

    /// <summary>Bytes from one row of the region to the next.</summary>
    public int Stride { get; }

    /// <summary>The region's height and width, at least 1.</summary>
    public ImageSize Size { get; }

    /// <summary>Whether the resized region is mirrored, left to right, as it is written.</summary>
    public bool IsMirrored { get; init; }
}
