using System.Diagnostics;
using System.Runtime.InteropServices;
using Fpn.Detection.Imaging;

namespace Fpn.Service.Imaging;

/// <summary>Turns encoded images into RGB bytes with libvips.</summary>
/// <remarks>
/// Thread-safe; a call decodes on its own thread. What comes out:
/// <list type="bullet">
/// <item>the image as displayed: EXIF orientation is applied;</item>
/// <item>8-bit RGB; 16-bit channels lose their low byte, grey becomes three equal channels, CMYK is converted through
/// its embedded profile, or libvips' own where there is none;</item>
/// <item>numbers of RGB images as they are stored: an embedded RGB profile is ignored, as Pillow and OpenCV ignore it
/// and therefore as models were trained;</item>
/// <item>alpha is dropped: colours are neither blended nor multiplied, and stay even where nothing shows of them.</item>
/// </list>
/// </remarks>
internal sealed class ImageDecoder
{
    /// <summary>Four bands of so many pixels are as long as a span can be.</summary>
    private const long LargestPixelLimit = int.MaxValue / 4;

    /// <summary>Encoders write some ten scans; each costs as much as a small picture, however little is in it.</summary>
    private const int MaxJpegScans = 100;

    /// <summary>All pages are visited before the first is decoded.</summary>
    private const int MaxTiffPages = 4096;

    private readonly long _maxPixels;

    /// <summary>Loads libvips.</summary>
    /// <param name="maxPixels">The most pixels that an image may have by its header, 1 … 536,870,911.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is out of its range.</exception>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    internal ImageDecoder(long maxPixels)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, LargestPixelLimit);
        _maxPixels = maxPixels;
        Vips.Initialise();
    }

    /// <summary>Reads the header alone, so that room for the pixels can be found before they are decoded.</summary>
    /// <param name="encoded">A whole file. Not used after the call.</param>
    /// <param name="pixelBytes">Bytes that decoding takes at most, the image included; 0 when it will not be decoded.</param>
    /// <returns>Why the image will not be decoded, or null when it may be.</returns>
    public DecodeOutcome? CheckHeader(ReadOnlySpan<byte> encoded, out long pixelBytes)
    {
        var outcome = Run(encoded, headerOnly: true, out pixelBytes);
        return pixelBytes > 0 ? null : outcome;
    }

    /// <summary>Decodes one image; of several frames or pages the first.</summary>
    /// <param name="encoded">A whole file. Not used after the call.</param>
    /// <returns>The image, which the caller disposes, or why there is none. Bad bytes never throw.</returns>
    public DecodeOutcome Decode(ReadOnlySpan<byte> encoded) => Run(encoded, headerOnly: false, out _);

    private unsafe DecodeOutcome Run(ReadOnlySpan<byte> encoded, bool headerOnly, out long pixelBytes)
    {
        pixelBytes = 0;
        if (ImageSignature.Identify(encoded) is not { } format)
        {
            return DecodeOutcome.Fail(
                DecodeFailure.UnsupportedFormat,
                WrappedImage.Describe(encoded) ?? "The content is not a JPEG, PNG, WebP, GIF, TIFF or AVIF image.");
        }

        if (CheckBytes(encoded, format) is { } refusal)
        {
            return refusal;
        }

        // libvips is lazy and reads the bytes until the pixels are written: they are pinned that long.
        fixed (byte* bytes = encoded)
        fixed (byte* options = "[access=sequential,fail_on=error]"u8)
        {
            var stored = Vips.Open(bytes, (nuint)encoded.Length, options, 0);
            if (stored == 0)
            {
                return Undecodable(format, "its header is damaged or incomplete");
            }

            try
            {
                var size = new ImageSize(Vips.Height(stored), Vips.Width(stored));
                if (CheckOpened(stored, format, size) is { } failure)
                {
                    return failure;
                }

                // Alpha stays in the buffer behind the colours, and turning needs a second one for a moment.
                var bands = Vips.Bands(stored) is 1 or 3 ? 3 : 4;
                pixelBytes = size.Area * (Vips.Orientation(stored) == ExifOrientation.Upright ? bands : bands + 3);
                return headerOnly ? default : Decode(stored, size, format, encoded);
            }
            finally
            {
                Vips.Release(stored);
            }
        }
    }

    private DecodeOutcome? CheckOpened(nint stored, ImageFormat format, ImageSize size) => IsLoadedAs(stored, format)
        ? CheckSize(format, (uint)size.Width, (uint)size.Height)
        : Undecodable(format, "its header is damaged or incomplete");

    private static DecodeOutcome Decode(nint stored, ImageSize size, ImageFormat format, ReadOnlySpan<byte> encoded)
    {
        if (Vips.ConvertColours(stored, out var rgb, Vips.SrgbInterpretation, 0) != 0)
        {
            return Undecodable(format, "its colour model is not supported");
        }

        try
        {
            var bands = Vips.Bands(rgb);
            if (Vips.BandFormat(rgb) != Vips.UnsignedByteFormat || bands is not (3 or 4))
            {
                return Undecodable(format, "its colour model is not supported");
            }

            var pixels = Vips.WriteToMemory(rgb, out var length);
            if (pixels == 0)
            {
                return Undecodable(format, "its data are damaged or incomplete");
            }

            // Rows without gaps; the pixel limit keeps four bands below 2^31 bytes.
            Debug.Assert((long)length == size.Area * bands, "libvips promises a tight buffer of the size in the header");
            var buffer = new PixelBuffer(pixels, (int)length);
            return DecodeOutcome.Success(Finish(buffer, bands, size, Vips.Orientation(stored), format, encoded));
        }
        finally
        {
            Vips.Release(rgb);
        }
    }

    /// <summary>Makes decoded bytes [H, W, bands] the picture as displayed; owns them from here on.</summary>
    private static DecodedImage Finish(
        PixelBuffer buffer, int bands, ImageSize size, int orientation, ImageFormat format, ReadOnlySpan<byte> encoded)
    {
        try
        {
            if (format == ImageFormat.Gif && GifFirstFrame.TryRead(encoded, out var frame))
            {
                frame.FillUncovered(buffer.Bytes, size, bands);
            }

            if (bands == 4)
            {
                DropAlpha(buffer.Bytes);
            }

            if (orientation != ExifOrientation.Upright)
            {
                buffer = TurnUpright(buffer, size, orientation);
            }

            return new DecodedImage(format, ExifOrientation.DisplayedSize(size, orientation), buffer);
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    private static PixelBuffer TurnUpright(PixelBuffer stored, ImageSize size, int orientation)
    {
        var length = (int)(size.Area * 3);
        var upright = PixelBuffer.Allocate(length);
        ExifOrientation.Apply(stored.Bytes[..length], size, orientation, upright.Bytes);
        stored.Dispose();
        return upright;
    }

    /// <summary>What libvips would find out late, at great cost or not at all.</summary>
    private DecodeOutcome? CheckBytes(ReadOnlySpan<byte> encoded, ImageFormat format)
    {
        switch (format)
        {
            case ImageFormat.Jpeg:
                var markers = JpegMarkers.Read(encoded, MaxJpegScans + 1);
                return markers.Scans > MaxJpegScans ? Undecodable(format, $"it has more than {MaxJpegScans} scans")
                    : markers.HasEnd ? null
                    : Undecodable(format, "its end is missing");
            case ImageFormat.Png:
                return PngChunks.TryReadSize(encoded, out var width, out var height) && CheckSize(format, width, height) is { } refusal ? refusal
                    : PngChunks.HasEnd(encoded) ? null
                    : Undecodable(format, "its end is missing");
            case ImageFormat.Tiff:
                return TiffPages.Count(encoded, MaxTiffPages + 1) > MaxTiffPages
                    ? Undecodable(format, $"it has more than {MaxTiffPages} pages")
                    : null;
            default:
                return null;
        }
    }

    private DecodeOutcome? CheckSize(ImageFormat format, uint width, uint height)
    {
        if (width == 0 || height == 0)
        {
            return Undecodable(format, "its header announces no pixels");
        }

        return (ulong)width * height <= (ulong)_maxPixels
            ? null
            : DecodeOutcome.Fail(
                DecodeFailure.TooManyPixels,
                $"The image is {width} pixels wide and {height} high; at most {_maxPixels} pixels in all are allowed.");
    }

    /// <summary>Whether libvips, which looks at the bytes itself, took them for the same format.</summary>
    private static unsafe bool IsLoadedAs(nint image, ImageFormat format)
    {
        var prefix = format switch
        {
            ImageFormat.Jpeg => "jpegload"u8,
            ImageFormat.Png => "pngload"u8,
            ImageFormat.Webp => "webpload"u8,
            ImageFormat.Gif => "gifload"u8,
            ImageFormat.Tiff => "tiffload"u8,
            _ => "heifload"u8,
        };
        return Vips.GetText(image, "vips-loader", out var loader) == 0
            && MemoryMarshal.CreateReadOnlySpanFromNullTerminated(loader).StartsWith(prefix);
    }

    /// <summary>Moves the first three of every four bytes together, in place.</summary>
    private static void DropAlpha(Span<byte> pixels)
    {
        for (int from = 0, to = 0; from < pixels.Length; from += 4, to += 3)
        {
            pixels[to] = pixels[from];
            pixels[to + 1] = pixels[from + 1];
            pixels[to + 2] = pixels[from + 2];
        }
    }

    private static DecodeOutcome Undecodable(ImageFormat format, string why)
    {
        var name = format == ImageFormat.Webp ? "WebP" : format.ToString().ToUpperInvariant();
        return DecodeOutcome.Fail(DecodeFailure.Undecodable, $"The {name} image cannot be decoded: {why}.");
    }
}
