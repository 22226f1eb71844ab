using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Headers;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Decoding;

/// <summary>Turns encoded images into RGB bytes with one of the codecs, and holds what must be so whichever it is.</summary>
/// <remarks>
/// Thread-safe; a call decodes on its own thread. What comes out:
/// <list type="bullet">
/// <item>the image as displayed: EXIF orientation is applied;</item>
/// <item>8-bit RGB; 16-bit channels lose their low byte, grey becomes three equal channels, inks become colours as
/// <see cref="InkColors"/> says; numbers without a certain meaning (<see cref="TiffSamples"/>) are refused;</item>
/// <item>numbers of RGB images as they are stored: an embedded profile is ignored, as Pillow and OpenCV ignore it
/// and therefore as models were trained;</item>
/// <item>alpha is dropped: colours are neither blended nor multiplied, and stay even where nothing shows of them.</item>
/// </list>
/// </remarks>
internal sealed class ImageDecoder
{
    /// <summary>Why a file that was cut off is not decoded.</summary>
    public const string EndIsMissing = "its end is missing";

    /// <summary>Four bands of so many pixels are as long as a span can be.</summary>
    private const long LargestPixelLimit = int.MaxValue / 4;

    /// <summary>Encoders write some ten scans; each costs as much as a small picture, however little is in it.</summary>
    private const int MaxJpegScans = 100;

    /// <summary>All pages are visited before the first is decoded.</summary>
    private const int MaxTiffPages = 4096;

    private readonly long _maxPixels;
    private readonly IImageCodec[] _codecs;

    /// <summary>Takes the codecs.</summary>
    /// <param name="maxPixels">The most pixels that an image may have by its header, 1 … 536,870,911.</param>
    /// <param name="codecs">The first that reads a format is asked about it; at least one.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is out of its range.</exception>
    internal ImageDecoder(long maxPixels, params ReadOnlySpan<IImageCodec> codecs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, LargestPixelLimit);
        _maxPixels = maxPixels;
        _codecs = codecs.ToArray();
        Formats = [.. Enum.GetValues<ImageFormat>().Where(format => CodecOf(format) is not null).Select(Name)];
        UnsupportedDetail = $"The content is not a {string.Join(", ", Formats.SkipLast(1))} or {Formats[^1]} image.";
    }

    /// <summary>Names of the formats that a codec reads, as people write them: <c>JPEG</c>, <c>WebP</c>.</summary>
    public IReadOnlyList<string> Formats { get; }

    /// <summary>What is wrong with bytes in a format that is not read; lists those that are.</summary>
    public string UnsupportedDetail { get; }

    /// <summary>What is wrong with an image that has more pixels than allowed.</summary>
    public string TooManyPixelsDetail(uint width, uint height) =>
        $"The image is {width} pixels wide and {height} high; at most {_maxPixels} pixels in all are allowed.";

    /// <summary>What is wrong with an image that cannot be decoded.</summary>
    /// <param name="format">What it is.</param>
    /// <param name="why">Ends the sentence, such as <see cref="EndIsMissing"/>.</param>
    public static string UndecodableDetail(ImageFormat format, string why) =>
        $"The {Name(format)} image cannot be decoded: {why}.";

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
        if (ImageSignature.Identify(encoded) is not { } format || CodecOf(format) is not { } codec)
        {
            return DecodeOutcome.Fail(
                DecodeFailure.UnsupportedFormat, WrappedImage.Describe(encoded) ?? UnsupportedDetail);
        }

        if (CheckBytes(encoded, format) is { } refusal)
        {
            return refusal;
        }

        // Codecs may be lazy and read the bytes until the pixels are written: they are pinned that long.
        fixed (byte* file = encoded)
        {
            using var stored = codec.Open(file, encoded.Length, format);
            if (stored is null)
            {
                return Undecodable(format, "its header is damaged or incomplete");
            }

            if (CheckSize(format, (uint)stored.Size.Width, (uint)stored.Size.Height) is { } failure)
            {
                return failure;
            }

            if (stored.Layout == PixelLayout.Unknown)
            {
                return Undecodable(format, "its colour model is not supported");
            }

            if (format == ImageFormat.Jpeg && CheckScans(encoded, stored.Size, codec) is { } costly)
            {
                return costly;
            }

            // Whatever stands behind three colours stays in the buffer, and turning needs a second one for a moment.
            var orientation = ExifOrientation.Read(encoded, format);
            var turned = orientation == ExifOrientation.Upright ? 0 : 3;
            pixelBytes = stored.Size.Area * (Bands(stored.Layout) + turned) + stored.WorkBytes;
            return headerOnly ? default : Decode(stored, format, encoded, orientation);
        }
    }

    private IImageCodec? CodecOf(ImageFormat format) => Array.Find(_codecs, codec => codec.Reads(format));

    private static int Bands(PixelLayout layout) => layout == PixelLayout.Rgb ? 3 : 4;

    private static DecodeOutcome Decode(
        ICodecImage stored, ImageFormat format, ReadOnlySpan<byte> encoded, int orientation)
    {
        // The pixel limit keeps four bands below 2^31 bytes.
        var buffer = PixelBuffer.Allocate((int)(stored.Size.Area * Bands(stored.Layout)));
        try
        {
            if (!stored.TryDecode(buffer.Bytes))
            {
                return Undecodable(format, "its data are damaged or incomplete", buffer);
            }

            if (format == ImageFormat.Gif && GifFirstFrame.TryRead(encoded, out var frame))
            {
                frame.FillUncovered(buffer.Bytes, stored.Size, Bands(stored.Layout));
            }

            if (stored.Layout == PixelLayout.Rgba)
            {
                DropAlpha(buffer.Bytes);
            }

            var samples = buffer.Bytes[..(int)(stored.Size.Area * (stored.Layout == PixelLayout.Cmyk ? 4 : 3))];
            if (format == ImageFormat.Tiff && TiffSamples.Read(encoded).AreShallow(samples))
            {
                return Undecodable(format, TiffSamples.ShallowRefusal, buffer);
            }

            if (stored.Layout == PixelLayout.Cmyk)
            {
                InkColors.ToRgb(buffer.Bytes);
            }

            if (orientation != ExifOrientation.Upright)
            {
                buffer = TurnUpright(buffer, stored.Size, orientation);
            }

            return DecodeOutcome.Success(
                new DecodedImage(format, ExifOrientation.DisplayedSize(stored.Size, orientation), buffer));
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

    /// <summary>What codecs would find out late, at great cost or not at all.</summary>
    private DecodeOutcome? CheckBytes(ReadOnlySpan<byte> encoded, ImageFormat format)
    {
        switch (format)
        {
            case ImageFormat.Jpeg:
                var markers = JpegMarkers.Read(encoded, MaxJpegScans + 1);
                return markers.Scans > MaxJpegScans ? Undecodable(format, $"it has more than {MaxJpegScans} scans")
                    : markers.HasEnd ? null
                    : Undecodable(format, EndIsMissing);
            case ImageFormat.Png:
                return PngChunks.TryReadSize(encoded, out var width, out var height) && CheckSize(format, width, height) is { } refusal ? refusal
                    : PngChunks.HasEnd(encoded) ? null
                    : Undecodable(format, EndIsMissing);
            case ImageFormat.Tiff:
                return TiffPages.Count(encoded, MaxTiffPages + 1) > MaxTiffPages
                    ? Undecodable(format, $"it has more than {MaxTiffPages} pages")
                    : TiffSamples.Read(encoded).Refusal is { } why ? Undecodable(format, why)
                    : null;
            case ImageFormat.Webp:
                return WebpChunks.HasEnd(encoded) ? null : Undecodable(format, EndIsMissing);
            case ImageFormat.Gif:
                return GifFirstFrame.HasEnd(encoded) ? null : Undecodable(format, EndIsMissing);
            case ImageFormat.Bmp:
                var size = BmpHeader.ReadSize(encoded);
                return CheckSize(format, size.Width, size.Height)
                    ?? (BmpHeader.Refuse(encoded) is { } reason ? Undecodable(format, reason) : null);
            default:
                return null;
        }
    }

    private static DecodeOutcome? CheckScans(ReadOnlySpan<byte> jpeg, ImageSize size, IImageCodec codec) =>
        codec.MaxScannedPixels / size.Area < JpegMarkers.Read(jpeg, MaxJpegScans + 1).Scans
            ? Undecodable(ImageFormat.Jpeg, "it has too many scans for its size")
            : null;

    private DecodeOutcome? CheckSize(ImageFormat format, uint width, uint height)
    {
        if (width == 0 || height == 0)
        {
            return Undecodable(format, "its header announces no pixels");
        }

        return (ulong)width * height <= (ulong)_maxPixels
            ? null
            : DecodeOutcome.Fail(DecodeFailure.TooManyPixels, TooManyPixelsDetail(width, height));
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

    private static DecodeOutcome Undecodable(ImageFormat format, string why, PixelBuffer? buffer = null)
    {
        buffer?.Dispose();
        return DecodeOutcome.Fail(DecodeFailure.Undecodable, UndecodableDetail(format, why));
    }

    private static string Name(ImageFormat format) =>
        format == ImageFormat.Webp ? "WebP" : format.ToString().ToUpperInvariant();
}
