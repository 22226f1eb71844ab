using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using NetVips;
using static NetVips.Enums;

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
        Layout = LayoutFor(stored);
    }

    /// <inheritdoc/>
    public ImageSize Size { get; }

    /// <inheritdoc/>
    public PixelLayout Layout { get; }

    /// <inheritdoc/>
    /// <remarks>libvips decodes a few rows at a time. The package's copy of the file is as large as the file.</remarks>
    public long WorkBytes => 0;

    /// <inheritdoc/>
    public unsafe bool TryDecode(Span<byte> pixels)
    {
        var bands = Layout == PixelLayout.Rgb ? 3 : 4;
        try
        {
            var converted = Convert();
            try
            {
                if (converted.Bands != bands || converted.Format != BandFormat.Uchar)
                {
                    return false;
                }

                fixed (byte* start = pixels)
                {
                    using var target = Image.NewFromMemory(
                        (nint)start, (ulong)pixels.Length, Size.Width, Size.Height, bands, BandFormat.Uchar);
                    converted.Write(target);
                }

                return true;
            }
            finally
            {
                if (!ReferenceEquals(converted, _stored))
                {
                    converted.Dispose();
                }
            }
        }
        catch (VipsException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _stored.Dispose();

    /// <summary>Converts to 8 bits a band; of 16 the upper ones count.</summary>
    private Image Convert()
    {
        if (Layout == PixelLayout.Cmyk)
        {
            // As stored, without a profile; libvips inverts those of a JPEG, which all programs write inverted.
            return _stored.Format == BandFormat.Ushort ? _stored.Cast(BandFormat.Uchar, shift: true) : _stored;
        }

        return _stored.Interpretation == Interpretation.Srgb && _stored.Format == BandFormat.Uchar
            ? _stored
            : _stored.Colourspace(Interpretation.Srgb);
    }

    /// <summary>Accepts unsigned samples of 8 or 16 bits, and color models that libvips need not guess.</summary>
    private static PixelLayout LayoutFor(Image stored)
    {
        if (stored.Format is not (BandFormat.Uchar or BandFormat.Ushort))
        {
            return PixelLayout.Unknown;
        }

        return (stored.Interpretation, stored.Bands) switch
        {
            (Interpretation.Bw or Interpretation.Grey16, 1) => PixelLayout.Rgb,
            (Interpretation.Bw or Interpretation.Grey16, 2) => PixelLayout.Rgba,
            (Interpretation.Srgb or Interpretation.Rgb or Interpretation.Rgb16, 3) => PixelLayout.Rgb,
            (Interpretation.Srgb or Interpretation.Rgb or Interpretation.Rgb16, 4) => PixelLayout.Rgba,
            (Interpretation.Cmyk, 4) => PixelLayout.Cmyk,
            _ => PixelLayout.Unknown,
        };
    }
}
