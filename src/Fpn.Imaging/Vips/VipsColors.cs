using Fpn.Imaging.Codecs;
using NetVips;
using static NetVips.Enums;

namespace Fpn.Imaging.Vips;

/// <summary>What the bands of a picture mean that libvips has opened.</summary>
internal static class VipsColors
{
    /// <summary>Accepts unsigned samples of 8 or 16 bits, and color models that libvips need not guess.</summary>
    internal static PixelLayout LayoutFor(Image stored)
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

    /// <summary>Converts to 8 bits a band; of 16 the upper ones count.</summary>
    /// <returns>The bands of the layout, or what could not be converted; may be <paramref name="stored"/>.</returns>
    /// <exception cref="VipsException">The conversion failed.</exception>
    internal static Image Convert(Image stored, PixelLayout layout)
    {
        if (layout == PixelLayout.Cmyk)
        {
            // As stored, without a profile; libvips inverts those of a JPEG, which all programs write inverted.
            return stored.Format == BandFormat.Ushort ? stored.Cast(BandFormat.Uchar, shift: true) : stored;
        }

        return stored.Interpretation == Interpretation.Srgb && stored.Format == BandFormat.Uchar
            ? stored
            : stored.Colourspace(Interpretation.Srgb);
    }

    /// <summary>Computes a picture into memory.</summary>
    /// <param name="picture">The picture, 8 bits a band.</param>
    /// <param name="pixels">[H, W, bands] bytes; undefined after a failure.</param>
    /// <param name="cancellationToken">Gives up between two tiles or rows; the picture must not be used again.</param>
    /// <returns>False when the picture has other bands or another size.</returns>
    /// <exception cref="VipsException">The data are damaged or incomplete, or the call was given up.</exception>
    internal static unsafe bool TryWrite(Image picture, Span<byte> pixels, CancellationToken cancellationToken)
    {
        if (picture.Format != BandFormat.Uchar
            || (long)picture.Width * picture.Height * picture.Bands != pixels.Length)
        {
            return false;
        }

        fixed (byte* start = pixels)
        {
            using var target = Image.NewFromMemory(
                (nint)start, (ulong)pixels.Length, picture.Width, picture.Height, picture.Bands, BandFormat.Uchar);
            using var end = cancellationToken.UnsafeRegister(
                static picture => ((Image)picture!).SetKill(true), picture);
            picture.Write(target);
        }

        return true;
    }
}
