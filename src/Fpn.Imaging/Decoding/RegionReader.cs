using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using Fpn.Imaging.Headers;
using Fpn.Imaging.Pixels;

namespace Fpn.Imaging.Decoding;

/// <summary>Reads parts of a tiled TIFF, and the whole reduced, in memory that the size of the picture does not
/// determine.</summary>
/// <remarks>
/// Opens a page when its pixels are asked for first, keeps the last one open, and then holds the headers of the file
/// but no pixels. Not thread-safe; may move from one thread to another.
/// </remarks>
internal sealed unsafe class RegionReader : IDisposable
{
    /// <summary>Lines that libvips works on at once between tiles and result, times the bytes of a sum.</summary>
    private const int LineBytes = 128;

    /// <summary>What libvips needs for any picture.</summary>
    private const int FixedBytes = 1 << 20;

    /// <summary>Decodings after which a page is opened anew: libvips keeps a small block of each until then, and
    /// between these the C library cannot give back large ones.</summary>
    private const int MostDecodings = 32;

    private readonly EncodedFile _file;
    private readonly IRegionCodec _codec;
    private readonly IReadOnlyList<TiledPage> _pages;
    private readonly PixelLayout _layout;
    private readonly int _orientation;
    private ICodecPage? _open;
    private TiledPage _openPage;
    private int _decodings;

    /// <summary>Creates a reader; nothing is opened yet.</summary>
    /// <param name="file">Stays in place as long as the reader; not disposed.</param>
    /// <param name="codec">The codec.</param>
    /// <param name="pages">The picture, then its smaller sizes.</param>
    /// <param name="layout">The layout of all of them.</param>
    /// <param name="orientation">The orientation of all of them, 1 … 8.</param>
    internal RegionReader(
        EncodedFile file, IRegionCodec codec, IReadOnlyList<TiledPage> pages, PixelLayout layout, int orientation)
    {
        (_file, _codec, _pages, _layout, _orientation) = (file, codec, pages, layout, orientation);
        Size = ExifOrientation.DisplayedSize(pages[0].Size, orientation);
    }

    /// <summary>H × W as displayed.</summary>
    internal ImageSize Size { get; }

    private int Bands => _layout == PixelLayout.Rgb ? 3 : 4;

    /// <summary>Bytes a pixel of a result takes at most: turning briefly needs a second buffer.</summary>
    private int PixelBytes => Bands + (_orientation == ExifOrientation.Upright ? 0 : 3);

    /// <summary>The most bytes that <see cref="Decode"/> takes, the result included.</summary>
    /// <inheritdoc cref="Decode" path="/param[1]|/exception[1]"/>
    internal long RegionBytes(PixelRectangle region)
    {
        var stored = StoredRectangle(Check(region));
        var size = stored.Size;
        return size.Area * PixelBytes + TileBytes(_pages[0], stored.Left, stored.Top, size) + WorkBytes(size.Width);
    }

    /// <summary>Decodes a rectangle.</summary>
    /// <param name="region">Displayed coordinates; inside the picture, with at least one pixel and as many as a picture
    /// that is decoded whole may have.</param>
    /// <param name="cancellationToken">Gives up between two tiles.</param>
    /// <returns>The pixels that decoding the whole picture gives there; the caller disposes them. Or the reason for
    /// refusing them: bad bytes never throw.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is empty, too large or not inside the
    /// picture.</exception>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    internal DecodeOutcome Decode(PixelRectangle region, CancellationToken cancellationToken)
    {
        var stored = StoredRectangle(Check(region));
        var size = stored.Size;
        return Open(_pages[0]) is { } page
            ? Finish(
                size,
                pixels => page.TryDecode(stored.Left, stored.Top, size, pixels, cancellationToken),
                cancellationToken)
            : HeaderIsDamaged();
    }

    /// <summary>The most bytes that <see cref="DecodeReduced"/> takes, the result included.</summary>
    /// <inheritdoc cref="DecodeReduced" path="/param[1]|/exception[1]"/>
    internal long ReducedBytes(long maxPixels)
    {
        var plan = ReductionPlan.Choose(_pages, maxPixels);
        return plan.Size.Area * PixelBytes
            + TileBytes(plan.Page, 0, 0, plan.Page.Size)
            + WorkBytes(plan.Page.Size.Width);
    }

    /// <summary>Decodes the whole picture reduced by whole numbers: each pixel is the mean of a block, of inks or of
    /// colors as stored. Starts from a smaller size in the file where one is large enough.</summary>
    /// <param name="maxPixels">The most pixels of the result, at least 1.</param>
    /// <param name="cancellationToken">Gives up between two tiles.</param>
    /// <returns>The reduced picture, which the caller disposes; its size is the picture's by a whole number, rounded.
    /// Or the reason for refusing it: bad bytes never throw.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is less than 1.</exception>
    /// <exception cref="InsufficientMemoryException">There is not enough memory.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    internal DecodeOutcome DecodeReduced(long maxPixels, CancellationToken cancellationToken)
    {
        var plan = ReductionPlan.Choose(_pages, maxPixels);
        return Open(plan.Page) is { } page
            ? Finish(
                plan.Size,
                pixels => page.TryReduce(plan.Block, plan.Size, pixels, cancellationToken),
                cancellationToken)
            : HeaderIsDamaged();
    }

    /// <summary>Closes the page that is open; the next call opens it again.</summary>
    internal void Park()
    {
        _open?.Dispose();
        _open = null;
    }

    /// <inheritdoc/>
    public void Dispose() => Park();

    private delegate bool Decoding(Span<byte> pixels);

    /// <summary>Decodes into a new buffer, and turns what was stored into what is displayed.</summary>
    /// <param name="size">H × W as stored.</param>
    /// <param name="tryDecode">Writes [H, W, bands].</param>
    /// <param name="cancellationToken">The one that <paramref name="tryDecode"/> listens to.</param>
    private DecodeOutcome Finish(ImageSize size, Decoding tryDecode, CancellationToken cancellationToken)
    {
        var buffer = PixelBuffer.Allocate((int)(size.Area * Bands));
        try
        {
            if (!tryDecode(buffer.Bytes))
            {
                // libvips keeps a black tile instead of a damaged one, and would return it the next time.
                Park();
                cancellationToken.ThrowIfCancellationRequested();
                buffer.Dispose();
                return ImageDecoder.Undecodable(ImageFormat.Tiff, "its data are damaged or incomplete");
            }

            switch (_layout)
            {
                case PixelLayout.Rgba:
                    AlphaBand.Drop(buffer.Bytes);
                    break;
                case PixelLayout.Cmyk:
                    InkColors.ToRgb(buffer.Bytes);
                    break;
            }

            buffer = ExifOrientation.TurnUpright(buffer, size, _orientation);
            return DecodeOutcome.Success(new DecodedImage(
                ImageFormat.Tiff, ExifOrientation.DisplayedSize(size, _orientation), buffer));
        }
        catch
        {
            buffer.Dispose();
            throw;
        }
    }

    /// <summary>Opens a page unless it is open; null when the codec finds something else than its tags say.</summary>
    private ICodecPage? Open(TiledPage page)
    {
        if (_open is null || _openPage != page || ++_decodings >= MostDecodings)
        {
            Park();
            _decodings = 0;
            _open = _codec.OpenPage(_file.Start, _file.Length, page.Page, page.Subdirectory);
            _openPage = page;
            if (_open is not null && (_open.Size != page.Size || _open.Tile != page.Tile || _open.Layout != _layout))
            {
                Park();
            }
        }

        return _open;
    }

    /// <summary>Bytes of the tiles that libvips holds while it works on a rectangle of a page, and of the two that it
    /// decodes through.</summary>
    private long TileBytes(TiledPage page, int left, int top, ImageSize size) =>
        (Math.Min(page.CountTiles(left, top, size), page.MostTiles) + 2) * page.Tile.Area * Bands;

    private long WorkBytes(int width) => FixedBytes + (long)width * Bands * LineBytes;

    private PixelRectangle Check(PixelRectangle region)
    {
        if (!region.LiesIn(Size) || region.Size.Area > ImageDecoder.MostWholePixels)
        {
            throw new ArgumentOutOfRangeException(
                nameof(region), region, $"Not inside {Size}, or more than {ImageDecoder.MostWholePixels} pixels.");
        }

        return region;
    }

    /// <summary>The rectangle of the file that a displayed rectangle shows.</summary>
    private PixelRectangle StoredRectangle(PixelRectangle shown)
    {
        var stored = _pages[0].Size;
        var (left, right, top, bottom) = _orientation >= 5
            ? (shown.Top, shown.Bottom, shown.Left, shown.Right)
            : (shown.Left, shown.Right, shown.Top, shown.Bottom);
        if (_orientation is 2 or 3 or 7 or 8)
        {
            (left, right) = (stored.Width - right, stored.Width - left);
        }

        if (_orientation is 3 or 4 or 6 or 7)
        {
            (top, bottom) = (stored.Height - bottom, stored.Height - top);
        }

        return new PixelRectangle(left, top, right, bottom);
    }

    private static DecodeOutcome HeaderIsDamaged() =>
        ImageDecoder.Undecodable(ImageFormat.Tiff, "a header in it is damaged or incomplete");
}
