using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Headers;

/// <summary>Reads EXIF orientations, and turns and mirrors decoded pictures accordingly.</summary>
/// <remarks>Source: EXIF 2.32, tag 0x0112. Done here and not by the codecs: libvips takes several times as
/// long.</remarks>
internal static class ExifOrientation
{
    /// <summary>The picture is stored as it is displayed.</summary>
    internal const int Upright = 1;

    private const int OrientationTag = 0x0112;

    /// <summary>Pixels a side of a tile: 32 rows of 32 pixels of both pictures fit the first-level cache.</summary>
    private const int Tile = 32;

    /// <summary>The bytes that introduce EXIF in a JPEG.</summary>
    internal static ReadOnlySpan<byte> ExifPrefix => "Exif\0\0"u8;

    /// <summary>The orientation that a file's EXIF block, or a TIFF's own first directory, asks for.</summary>
    /// <returns>1 … 8; 1 where the file has no orientation or an invalid one.</returns>
    internal static int Read(ReadOnlySpan<byte> encoded, ImageFormat format)
    {
        var block = format switch
        {
            ImageFormat.Jpeg => JpegMarkers.FindExif(encoded),
            ImageFormat.Png => PngChunks.FindExif(encoded),
            ImageFormat.Webp => WebpChunks.FindExif(encoded),
            ImageFormat.Tiff => encoded,
            _ => default,
        };
        return new TiffTags(block).First(OrientationTag) is { } value and >= 1 and <= 8 ? (int)value : Upright;
    }

    /// <summary>The size as displayed: orientations 5 to 8 exchange height and width.</summary>
    internal static ImageSize DisplayedSize(ImageSize stored, int orientation) =>
        orientation >= 5 ? new ImageSize(stored.Width, stored.Height) : stored;

    /// <summary>Turns a decoded picture.</summary>
    /// <param name="stored">[H, W, 3] bytes, with any bytes behind them; disposed unless it is the result.</param>
    /// <param name="size">H × W as stored.</param>
    /// <param name="orientation">1 … 8.</param>
    /// <returns>The picture as displayed; <paramref name="stored"/> where it is upright.</returns>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    internal static PixelBuffer TurnUpright(PixelBuffer stored, ImageSize size, int orientation)
    {
        if (orientation == Upright)
        {
            return stored;
        }

        var length = (int)(size.Area * 3);
        var upright = PixelBuffer.Allocate(length);
        Apply(stored.Bytes[..length], size, orientation, upright.Bytes);
        stored.Dispose();
        return upright;
    }

    /// <summary>Writes the picture as displayed.</summary>
    /// <param name="stored">[H, W, 3] bytes.</param>
    /// <param name="size">H × W.</param>
    /// <param name="orientation">1 … 8.</param>
    /// <param name="displayed">[H, W, 3] or, from 5 on, [W, H, 3]; must not overlap <paramref name="stored"/>.</param>
    /// <exception cref="ArgumentException">A length does not match the size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The orientation does not exist.</exception>
    internal static unsafe void Apply(ReadOnlySpan<byte> stored, ImageSize size, int orientation, Span<byte> displayed)
    {
        if (stored.Length != size.Area * 3 || displayed.Length != stored.Length)
        {
            throw new ArgumentException(
                $"{stored.Length} and {displayed.Length} bytes are not {size} pixels each.", nameof(size));
        }

        // Where displayed pixel (0, 0) is stored, and how far apart neighbours below and to the right are stored.
        nint right = 3, below = (nint)size.Width * 3;
        nint lastColumn = (nint)(size.Width - 1) * 3, lastRow = (nint)(size.Height - 1) * below;
        var (first, rowStep, columnStep) = orientation switch
        {
            1 => (0, below, right),
            2 => (lastColumn, below, -right),
            3 => (lastRow + lastColumn, -below, -right),
            4 => (lastRow, -below, right),
            5 => (0, right, below),
            6 => (lastRow, right, -below),
            7 => (lastRow + lastColumn, -right, -below),
            8 => (lastColumn, -right, below),
            _ => throw new ArgumentOutOfRangeException(
                nameof(orientation), orientation, "EXIF knows orientations 1 to 8."),
        };

        var target = DisplayedSize(size, orientation);
        fixed (byte* from = stored)
        fixed (byte* to = displayed)
        {
            for (var top = 0; top < target.Height; top += Tile)
            {
                for (var left = 0; left < target.Width; left += Tile)
                {
                    var bottom = Math.Min(top + Tile, target.Height);
                    var columns = Math.Min(Tile, target.Width - left);
                    for (var y = top; y < bottom; y++)
                    {
                        var source = from + first + y * rowStep + left * columnStep;
                        var destination = to + ((nint)y * target.Width + left) * 3;
                        for (var x = 0; x < columns; x++, source += columnStep, destination += 3)
                        {
                            destination[0] = source[0];
                            destination[1] = source[1];
                            destination[2] = source[2];
                        }
                    }
                }
            }
        }
    }
}
