using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;
using Fpn.Imaging.Codecs;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Advanced;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.PixelFormats;
using ImageFormat = Fpn.Imaging.Codecs.ImageFormat;

namespace Fpn.Imaging.ImageSharp;

/// <summary>A picture whose header ImageSharp has read.</summary>
internal sealed unsafe class ImageSharpImage : ICodecImage
{
    private readonly byte* _file;
    private readonly int _length;
    private readonly IImageDecoder _decoder;
    private readonly Configuration _configuration;
    private readonly bool _is16Bit;

    /// <summary>Remembers the file, which must stay in place until the picture is disposed.</summary>
    public ImageSharpImage(
        byte* file, int length, IImageDecoder decoder, Configuration configuration, IImageInfo info, ImageFormat format)
    {
        _file = file;
        (_length, _decoder, _configuration) = (length, decoder, configuration);
        Size = new ImageSize(info.Height, info.Width);
        Layout = LayoutFor(info, format);

        // ImageSharp would round 16 bits to 8, but the upper 8 are wanted. Eight bits come through unchanged.
        _is16Bit = format is ImageFormat.Tiff or ImageFormat.Png;
        WorkBytes = Size.Area
            * (_is16Bit ? 6 : format == ImageFormat.Jpeg ? 3 + 6 : Layout == PixelLayout.Rgba ? 4 : 3);
    }

    /// <inheritdoc/>
    public ImageSize Size { get; }

    /// <inheritdoc/>
    public PixelLayout Layout { get; }

    /// <inheritdoc/>
    /// <remarks>ImageSharp decodes into memory of its own; a progressive JPEG's coefficients come on top.</remarks>
    public long WorkBytes { get; }

    /// <inheritdoc/>
    public bool TryDecode(Span<byte> pixels)
    {
        try
        {
            using var stream = new UnmanagedMemoryStream(_file, _length);
            return _is16Bit ? TryDecode<Rgb48>(stream, pixels, 3)
                : Layout == PixelLayout.Rgba ? TryDecode<Rgba32>(stream, pixels, 4)
                : TryDecode<Rgb24>(stream, pixels, 3);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing is held between opening and decoding.
    }

    private bool TryDecode<TPixel>(UnmanagedMemoryStream stream, Span<byte> pixels, int bands)
        where TPixel : unmanaged, IPixel<TPixel>
    {
        using var image = _decoder.Decode<TPixel>(_configuration, stream, CancellationToken.None);
        if (image.Width != Size.Width || image.Height != Size.Height)
        {
            return false;
        }

        var rowBytes = Size.Width * bands;
        for (var y = 0; y < Size.Height; y++)
        {
            var from = MemoryMarshal.AsBytes(image.DangerousGetPixelRowMemory(y).Span);
            var to = pixels.Slice(y * rowBytes, rowBytes);
            if (_is16Bit)
            {
                TakeUpperBytes(from, to);
            }
            else
            {
                from.CopyTo(to);
            }
        }

        return true;
    }

    private static void TakeUpperBytes(ReadOnlySpan<byte> from, Span<byte> to)
    {
        var samples = MemoryMarshal.Cast<byte, ushort>(from);
        for (var i = 0; i < to.Length; i++)
        {
            to[i] = (byte)(samples[i] >> 8);
        }
    }

    /// <summary>
    /// Alpha is read only for a GIF, whose transparent pixels are filled; elsewhere it is dropped anyway. Inks are
    /// refused, since ImageSharp turns them into other colors than the reference does.
    /// </summary>
    private static PixelLayout LayoutFor(IImageInfo info, ImageFormat format) => format switch
    {
        ImageFormat.Gif => PixelLayout.Rgba,
        ImageFormat.Jpeg when info.Metadata.GetJpegMetadata().ColorType is JpegColorType.Cmyk => PixelLayout.Unknown,
        _ => PixelLayout.Rgb,
    };
}
