using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Headers;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Decoding;

/// <summary>An image whose header has been read and checked, and whose pixels have not been decoded yet.</summary>
/// <remarks>
/// Holds the file's bytes in place and whatever the codec keeps between header and pixels; both are given back by
/// <see cref="Dispose"/>. The bytes must outlive it. Not thread-safe; may move from one thread to another.
/// </remarks>
internal sealed unsafe class OpenedImage : IDisposable
{
    private readonly IImageCodec _codec;
    private readonly ImageSize _storedSize;
    private readonly PixelLayout _layout;
    private readonly TiffSamples _tiff;
    private readonly RegionReader? _regions;
    private EncodedFile _file;
    private ICodecImage? _stored;
    private bool _isSpent;

    /// <summary>Takes ownership of the file, of the codec's image and of the reader of regions, if any.</summary>
    internal OpenedImage(
        EncodedFile file, ImageFormat format, IImageCodec codec, ICodecImage stored, int orientation, TiffSamples tiff,
        RegionReader? regions)
    {
        (_file, _codec, _stored, _tiff, _regions) = (file, codec, stored, tiff, regions);
        (_storedSize, _layout) = (stored.Size, stored.Layout);
        (Format, Orientation) = (format, orientation);
        Size = ExifOrientation.DisplayedSize(_storedSize, orientation);

        // The fourth band stays in the buffer after decoding, and turning briefly needs a second buffer.
        var turned = orientation == ExifOrientation.Upright ? 0 : 3;
        DecodedBytes = _storedSize.Area * (Bands + turned) + stored.WorkBytes;
    }

    /// <summary>The format that the signature shows.</summary>
    public ImageFormat Format { get; }

    /// <summary>H × W as displayed: after EXIF orientation.</summary>
    public ImageSize Size { get; }

    /// <summary>The EXIF orientation, 1 … 8.</summary>
    public int Orientation { get; }

    /// <summary>The most bytes that <see cref="Decode"/> takes, the decoded image included.</summary>
    public long DecodedBytes { get; }

    /// <summary>Whether parts can be decoded alone (a TIFF in tiles of a usual size, with 8 bits a sample at
    /// most): the methods for regions then work, and the image may have more pixels than <see cref="Decode"/>
    /// takes.</summary>
    public bool ReadsRegions => _regions is not null;

    private int Bands => _layout == PixelLayout.Rgb ? 3 : 4;

    /// <summary>
    /// Gives back what the codec keeps (libvips: a copy of the file), so that images that wait for their turn hold
    /// nothing but their bytes. <see cref="Decode"/> then has the codec open the file again.
    /// </summary>
    /// <param name="isTurn">Whether the image need not wait: then nothing happens.</param>
    public void ParkUnless(bool isTurn)
    {
        if (!isTurn)
        {
            CloseStored();
            _regions?.Park();
        }
    }

    /// <summary>The most bytes that <see cref="DecodeRegion"/> takes, the decoded region included.</summary>
    /// <inheritdoc cref="DecodeRegion" path="/param[1]|/exception[1]"/>
    public long RegionBytes(PixelRectangle region) => Regions.RegionBytes(region);

    /// <summary>Decodes a rectangle, any number of times until <see cref="Decode"/> or <see cref="Dispose"/>.</summary>
    /// <param name="region">Displayed coordinates; inside the image, with 1 … 536,870,911 pixels.</param>
    /// <param name="cancellationToken">Gives up between two tiles.</param>
    /// <returns>The pixels that <see cref="Decode"/> gives there, which the caller disposes, or the reason for refusing
    /// them. Bad bytes never throw.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is not one of the image.</exception>
    /// <exception cref="InvalidOperationException">The image does not read regions, or was decoded or disposed
    /// before.</exception>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public DecodeOutcome DecodeRegion(PixelRectangle region, CancellationToken cancellationToken)
    {
        var regions = Regions;
        CloseStored();
        return regions.Decode(region, cancellationToken);
    }

    /// <summary>The most bytes that <see cref="DecodeReduced"/> takes, the decoded image included.</summary>
    /// <inheritdoc cref="DecodeReduced" path="/param[1]|/exception[1]"/>
    public long ReducedBytes(long maxPixels) => Regions.ReducedBytes(maxPixels);

    /// <summary>Decodes the whole image reduced by a whole number, from a smaller size in the file where one is large
    /// enough; any number of times, until <see cref="Decode"/> or <see cref="Dispose"/>.</summary>
    /// <param name="maxPixels">The most pixels of the result, at least 1.</param>
    /// <param name="cancellationToken">Gives up between two tiles.</param>
    /// <returns>The reduced image, which the caller disposes, or the reason for refusing it. Its size stands for all of
    /// <see cref="Size"/>. Bad bytes never throw.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is less than 1.</exception>
    /// <exception cref="InvalidOperationException">The image does not read regions, or was decoded or disposed
    /// before.</exception>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public DecodeOutcome DecodeReduced(long maxPixels, CancellationToken cancellationToken)
    {
        var regions = Regions;
        CloseStored();
        return regions.DecodeReduced(maxPixels, cancellationToken);
    }

    /// <summary>Decodes the pixels, once; of several frames or pages the first.</summary>
    /// <returns>The image, which the caller disposes, or the reason for refusing it. Bad bytes never throw.</returns>
    /// <exception cref="InvalidOperationException">The image was decoded or disposed before.</exception>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    public DecodeOutcome Decode()
    {
        if (_isSpent)
        {
            throw new InvalidOperationException("An opened image is decoded once.");
        }

        _isSpent = true;
        if (Size.Area > ImageDecoder.MostWholePixels)
        {
            return ImageDecoder.TooManyAtOnce(Size.Width, Size.Height);
        }

        _regions?.Park();
        using var stored = _stored ?? _codec.Open(_file.Start, _file.Length, Format);
        _stored = null;
        return stored is not null && stored.Size == _storedSize && stored.Layout == _layout
            ? DecodeStored(stored)
            : ImageDecoder.Undecodable(Format, "its header is damaged or incomplete");
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _isSpent = true;
        ParkUnless(isTurn: false);
        _file.Dispose();
    }

    private RegionReader Regions => _regions is not null && !_isSpent
        ? _regions
        : throw new InvalidOperationException("The image does not read regions, or was decoded or disposed.");

    /// <summary>Gives back what the codec keeps for <see cref="Decode"/>.</summary>
    private void CloseStored()
    {
        _stored?.Dispose();
        _stored = null;
    }

    private DecodeOutcome DecodeStored(ICodecImage stored)
    {
        // The pixel limit keeps four bands below 2^31 bytes.
        var buffer = PixelBuffer.Allocate((int)(_storedSize.Area * Bands));
        try
        {
            if (Read(stored, buffer.Bytes) is { } refusal)
            {
                buffer.Dispose();
                return ImageDecoder.Undecodable(Format, refusal);
            }

            buffer = ExifOrientation.TurnUpright(buffer, _storedSize, Orientation);
            return DecodeOutcome.Success(new DecodedImage(Format, Size, buffer));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Decodes to RGB as stored, without orientation.</summary>
    /// <param name="stored">The codec's image.</param>
    /// <param name="pixels">[H, W, bands]; afterwards the first 3 × H × W bytes are [H, W, 3].</param>
    /// <returns>Null, or the reason for refusing the image.</returns>
    private string? Read(ICodecImage stored, Span<byte> pixels)
    {
        if (!stored.TryDecode(pixels))
        {
            return "its data are damaged or incomplete";
        }

        if (Format == ImageFormat.Gif && GifFirstFrame.TryRead(_file.Bytes, out var frame))
        {
            frame.FillUncovered(pixels, _storedSize, Bands);
        }

        if (_layout == PixelLayout.Rgba)
        {
            AlphaBand.Drop(pixels);
        }

        var samples = pixels[..(int)(_storedSize.Area * (_layout == PixelLayout.Cmyk ? 4 : 3))];
        if (Format == ImageFormat.Tiff && _tiff.AreShallow(samples))
        {
            return TiffSamples.ShallowRefusal;
        }

        if (_layout == PixelLayout.Cmyk)
        {
            InkColors.ToRgb(pixels);
        }

        return null;
    }
}
