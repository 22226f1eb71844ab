using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using NetVips;

namespace Fpn.Imaging.Vips;

/// <summary>A picture that libvips has opened.</summary>
internal sealed class VipsImage : ICodecImage
{
    private readonly Image _stored;

    /// <summary>Takes ownership of the picture.</summary>
    /// <param name="stored">The picture.</param>
    public VipsImage(Image stored)
    {
        _stored = stored;
        Size = new ImageSize(stored.Height, stored.Width);
        Layout = VipsColors.LayoutFor(stored);
    }

    /// <inheritdoc/>
    public ImageSize Size { get; }

    /// <inheritdoc/>
    public PixelLayout Layout { get; }

    /// <inheritdoc/>
    /// <remarks>libvips decodes a few rows at a time. The package's copy of the file is as large as the file.</remarks>
    public long WorkBytes => 0;

    /// <inheritdoc/>
    public bool TryDecode(Span<byte> pixels)
    {
        Image? converted = null;
        try
        {
            converted = VipsColors.Convert(_stored, Layout);
            return VipsColors.TryWrite(converted, pixels, CancellationToken.None);
        }
        catch (VipsException)
        {
            return false;
        }
        finally
        {
            if (!ReferenceEquals(converted, _stored))
            {
                converted?.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stored.Dispose();
}
