using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using NetVips;
using static NetVips.Enums;

namespace Fpn.Imaging.Vips;

/// <summary>A page of a TIFF in tiles that libvips has opened.</summary>
/// <remarks>libvips decodes the tiles that are asked for, keeps two rows of them at most, and frees them at the end of
/// each call.</remarks>
internal sealed class VipsPage : ICodecPage
{
    private readonly SourceCustom _source;
    private readonly Image _stored;
    private readonly Image _converted;

    /// <summary>Takes ownership of everything.</summary>
    private VipsPage(SourceCustom source, Image stored, Image converted, PixelLayout layout, ImageSize tile)
    {
        (_source, _stored, _converted, Layout, Tile) = (source, stored, converted, layout, tile);
        Size = new ImageSize(stored.Height, stored.Width);
    }

    /// <inheritdoc/>
    public ImageSize Size { get; }

    /// <inheritdoc/>
    public ImageSize Tile { get; }

    /// <inheritdoc/>
    public PixelLayout Layout { get; }

    /// <summary>Opens a page; see <see cref="IRegionCodec.OpenPage"/>.</summary>
    internal static unsafe VipsPage? Open(byte* file, int length, int page, int subdirectory)
    {
        var source = new SourceCustom();
        Image? stored = null;
        VipsPage? opened = null;
        try
        {
            // Unlike a buffer, the package does not copy it.
            var stream = new UnmanagedMemoryStream(file, length);
            source.OnRead += (buffer, count) => stream.Read(buffer, 0, count);
            source.OnSeek += (offset, origin) => Seek(stream, offset, origin);
            stored = Image.TiffloadSource(
                source, page: page, subifd: subdirectory, access: Access.Random, failOn: VipsCodec.TilesFailOn);
            return opened = Wrap(source, stored);
        }
        catch (VipsException)
        {
            return null;
        }
        finally
        {
            if (opened is null)
            {
                stored?.Dispose();
                source.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public bool TryDecode(int left, int top, ImageSize size, Span<byte> pixels, CancellationToken cancellationToken)
    {
        try
        {
            using var region = _converted.Crop(left, top, size.Width, size.Height);
            return VipsColors.TryWrite(region, pixels, cancellationToken);
        }
        catch (VipsException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public bool TryReduce(ImageSize block, ImageSize size, Span<byte> pixels, CancellationToken cancellationToken)
    {
        try
        {
            using var reduced = _converted.Shrink(block.Width, block.Height);
            return reduced.Width == size.Width
                && reduced.Height == size.Height
                && VipsColors.TryWrite(reduced, pixels, cancellationToken);
        }
        catch (VipsException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (!ReferenceEquals(_converted, _stored))
        {
            _converted.Dispose();
        }

        _stored.Dispose();
        _source.Dispose();
    }

    /// <summary>Null when libvips would not read the page tile by tile.</summary>
    private static VipsPage? Wrap(SourceCustom source, Image stored)
    {
        if (!stored.Contains("tile-width") || !stored.Contains("tile-height"))
        {
            return null;
        }

        var tile = new ImageSize((int)stored.Get("tile-height"), (int)stored.Get("tile-width"));
        var layout = VipsColors.LayoutFor(stored);
        return layout == PixelLayout.Unknown
            ? null
            : new VipsPage(source, stored, VipsColors.Convert(stored, layout), layout, tile);
    }

    /// <summary>A damaged file may ask for any place: -1 says that it does not exist.</summary>
    private static long Seek(UnmanagedMemoryStream stream, long offset, SeekOrigin origin)
    {
        var start = origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => stream.Position,
            _ => stream.Length,
        };
        return offset < -start || offset > long.MaxValue - start ? -1 : stream.Position = start + offset;
    }
}
