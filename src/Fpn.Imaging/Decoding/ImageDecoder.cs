using System.Buffers;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Headers;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Decoding;

/// <summary>
/// Turns encoded images into RGB bytes with one of the codecs, and enforces the rules that hold for all of them.
/// </summary>
/// <remarks>
/// Thread-safe; a call works on its own thread. The header is read once, by <see cref="Open"/>; what it says travels
/// with the <see cref="OpenedImage"/>. The result:
/// <list type="bullet">
/// <item>the image as displayed: EXIF orientation is applied;</item>
/// <item>8-bit RGB; 16-bit channels lose their low byte, gray becomes three equal channels, inks become colors as
/// <see cref="InkColors"/> says; samples without a defined color (<see cref="TiffSamples"/>) are refused;</item>
/// <item>RGB values as stored: an embedded profile is ignored, as Pillow and OpenCV ignore it and therefore as models
/// were trained;</item>
/// <item>alpha is dropped: colors are neither blended nor multiplied, not even where a pixel is transparent.</item>
/// </list>
/// </remarks>
internal sealed class ImageDecoder
{
    /// <summary>The reason given for a file that is cut off.</summary>
    public const string EndIsMissing = "its end is missing";

    /// <summary>The most pixels that are decoded at once: four bands of them fill the longest possible span.</summary>
    internal const long MostWholePixels = int.MaxValue / 4;

    /// <summary>The most pixels that an image may have in any case: 2^33.</summary>
    private const long LargestPixelLimit = 1L << 33;

    private readonly long _maxPixels;
    private readonly IImageCodec[] _codecs;

    /// <summary>Creates a decoder.</summary>
    /// <param name="maxPixels">The most pixels that an image may have by its header, 1 … 2^33. Of more than
    /// <see cref="MostWholePixels"/>, only those are opened that can be read in regions.</param>
    /// <param name="codecs">At least one; the first that reads a format is used for it.</param>
    /// <exception cref="ArgumentOutOfRangeException">The limit is out of range.</exception>
    internal ImageDecoder(long maxPixels, params ReadOnlySpan<IImageCodec> codecs)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxPixels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(maxPixels, LargestPixelLimit);
        _maxPixels = maxPixels;
        _codecs = codecs.ToArray();
        Formats = [.. Enum.GetValues<ImageFormat>().Where(format => CodecFor(format) is not null).Select(Name)];
        UnsupportedDetail = $"The content is not a {string.Join(", ", Formats.SkipLast(1))} or {Formats[^1]} image.";
    }

    /// <summary>Names of the formats that a codec reads, in their usual spelling: <c>JPEG</c>, <c>WebP</c>.</summary>
    public IReadOnlyList<string> Formats { get; }

    /// <summary>The message for bytes in a format that is not read; lists the formats that are.</summary>
    public string UnsupportedDetail { get; }

    /// <summary>The message for an image with more pixels than allowed.</summary>
    public string TooManyPixelsDetail(uint width, uint height) =>
        $"The image is {width} pixels wide and {height} high; at most {_maxPixels} pixels in all are allowed.";

    /// <summary>The refusal of an image with more pixels than <see cref="MostWholePixels"/>.</summary>
    internal static DecodeOutcome TooManyAtOnce(long width, long height) =>
        DecodeOutcome.Fail(
            DecodeFailure.TooManyPixels,
            $"The image is {width} pixels wide and {height} high; of more than {MostWholePixels} pixels only slices "
            + "are read, and only from a TIFF in tiles.");

    /// <summary>The message for an image that cannot be decoded.</summary>
    /// <param name="format">The format that its signature shows.</param>
    /// <param name="why">The end of the sentence, such as <see cref="EndIsMissing"/>.</param>
    public static string UndecodableDetail(ImageFormat format, string why) =>
        $"The {Name(format)} image cannot be decoded: {why}.";

    /// <summary>
    /// Reads the header of one image, and checks everything that can be checked before pixels are decoded.
    /// </summary>
    /// <param name="encoded">A whole file, which must neither change nor be freed until the opened image is
    /// disposed.</param>
    /// <returns>The opened image, which the caller disposes, or the reason for refusing it. Bad bytes never
    /// throw.</returns>
    public unsafe OpenOutcome Open(ReadOnlyMemory<byte> encoded)
    {
        var pin = encoded.Pin();
        OpenOutcome outcome = default;
        try
        {
            return outcome = OpenPinned((byte*)pin.Pointer, encoded.Length, pin);
        }
        finally
        {
            if (!outcome.Succeeded)
            {
                pin.Dispose();
            }
        }
    }

    /// <summary>Opens and decodes one image; of several frames or pages the first.</summary>
    /// <param name="encoded">A whole file. Not used after the call.</param>
    /// <returns>The image, which the caller disposes, or the reason for refusing it. Bad bytes never throw.</returns>
    public unsafe DecodeOutcome Decode(ReadOnlySpan<byte> encoded)
    {
        fixed (byte* file = encoded)
        {
            var outcome = OpenPinned(file, encoded.Length, default);
            if (!outcome.Succeeded)
            {
                return outcome.Refusal;
            }

            using var opened = outcome.Image;
            return opened.Decode();
        }
    }

    /// <summary>The outcome for an image that cannot be decoded.</summary>
    internal static DecodeOutcome Undecodable(ImageFormat format, string why) =>
        DecodeOutcome.Fail(DecodeFailure.Undecodable, UndecodableDetail(format, why));

    /// <param name="file">The whole file, pinned.</param>
    /// <param name="length">Its length in bytes.</param>
    /// <param name="pin">Belongs to the opened image on success.</param>
    private unsafe OpenOutcome OpenPinned(byte* file, int length, MemoryHandle pin)
    {
        var encoded = new ReadOnlySpan<byte>(file, length);
        if (ImageSignature.Identify(encoded) is not { } format || CodecFor(format) is not { } codec)
        {
            return DecodeOutcome.Fail(
                DecodeFailure.UnsupportedFormat, WrappedImage.Describe(encoded) ?? UnsupportedDetail);
        }

        var check = FileCheck.Run(encoded, format);
        if (check.Size is { } announced
            && CheckSize(format, announced.Width, announced.Height, readsRegions: false) is { } early)
        {
            return early;
        }

        if (check.Refusal is { } why)
        {
            return Undecodable(format, why);
        }

        var stored = codec.Open(file, length, format);
        if (stored is null)
        {
            return Undecodable(format, "its header is damaged or incomplete");
        }

        var orientation = ExifOrientation.Read(encoded, format);
        var source = new EncodedFile(file, length, pin);
        var regions = ReaderFor(source, format, codec, stored, orientation);
        if (CheckStored(stored, format, check.JpegScans, codec, regions is not null) is { } refusal)
        {
            stored.Dispose();
            return refusal;
        }

        return new OpenOutcome(new OpenedImage(source, format, codec, stored, orientation, check.Tiff, regions));
    }

    /// <summary>The reader of regions; null where codec or file do not allow it. Opens nothing.</summary>
    private static RegionReader? ReaderFor(
        EncodedFile file, ImageFormat format, IImageCodec codec, ICodecImage stored, int orientation)
    {
        if (format != ImageFormat.Tiff || codec is not IRegionCodec regionCodec)
        {
            return null;
        }

        var pages = TiffPyramid.Read(file.Bytes);
        return pages.Count > 0 && pages[0].Size == stored.Size
            ? new RegionReader(file, regionCodec, pages, stored.Layout, orientation)
            : null;
    }

    private IImageCodec? CodecFor(ImageFormat format) => Array.Find(_codecs, codec => codec.Reads(format));

    /// <summary>The reason for refusing an image whose header the codec has read.</summary>
    private DecodeOutcome? CheckStored(
        ICodecImage stored, ImageFormat format, int jpegScans, IImageCodec codec, bool readsRegions)
    {
        if (CheckSize(format, (uint)stored.Size.Width, (uint)stored.Size.Height, readsRegions) is { } failure)
        {
            return failure;
        }

        return stored.Layout == PixelLayout.Unknown ? Undecodable(format, "its color model is not supported")
            : codec.MaxScannedPixels / stored.Size.Area < jpegScans
                ? Undecodable(format, "it has too many scans for its size")
            : null;
    }

    private DecodeOutcome? CheckSize(ImageFormat format, uint width, uint height, bool readsRegions)
    {
        if (width == 0 || height == 0)
        {
            return Undecodable(format, "its header announces no pixels");
        }

        var pixels = (ulong)width * height;
        return pixels > (ulong)_maxPixels
                ? DecodeOutcome.Fail(DecodeFailure.TooManyPixels, TooManyPixelsDetail(width, height))
            : pixels > MostWholePixels && !readsRegions ? TooManyAtOnce(width, height)
            : null;
    }

    private static string Name(ImageFormat format) =>
        format == ImageFormat.Webp ? "WebP" : format.ToString().ToUpperInvariant();
}
