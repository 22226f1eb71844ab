using Fpn.Imaging.Codecs;
using NetVips;

namespace Fpn.Imaging.Vips;

/// <summary>Reads images with libvips: the numbers of libjpeg-turbo, libpng, libwebp, libnsgif, libtiff, libheif.</summary>
internal sealed class VipsCodec : IImageCodec
{
    /// <summary>Loads libvips.</summary>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    /// <exception cref="InvalidOperationException">libvips did not start.</exception>
    public VipsCodec() => VipsLibrary.Initialise();

    /// <inheritdoc/>
    /// <remarks>The number of scans alone bounds it.</remarks>
    public long MaxScannedPixels => long.MaxValue;

    /// <inheritdoc/>
    public bool Reads(ImageFormat format) => LoaderOf(format) is not null;

    /// <inheritdoc/>
    public unsafe ICodecImage? Open(byte* file, int length, ImageFormat format)
    {
        try
        {
            // Lazy: the header is read, the pixels are decoded when they are written. The package copies the file.
            var stored = Image.NewFromBuffer(
                new ReadOnlySpan<byte>(file, length), access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);

            // It looks at the bytes itself, and may take them for something else.
            if (stored.Get("vips-loader") is string loader && loader.StartsWith(LoaderOf(format)!, StringComparison.Ordinal))
            {
                return new VipsImage(stored);
            }

            stored.Dispose();
            return null;
        }
        catch (VipsException)
        {
            // Its text is one buffer for the whole process: it may speak of another request's picture.
            return null;
        }
    }

    private static string? LoaderOf(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => "jpegload",
        ImageFormat.Png => "pngload",
        ImageFormat.Webp => "webpload",
        ImageFormat.Gif => "gifload",
        ImageFormat.Tiff => "tiffload",
        ImageFormat.Avif => "heifload",
        _ => null,
    };
}
