using Fpn.Imaging.Codecs;
using NetVips;

namespace Fpn.Imaging.Vips;

/// <summary>
/// Reads images with libvips: the pixels of libjpeg-turbo, libpng, libwebp, libnsgif, libtiff and libheif.
/// </summary>
internal sealed class VipsCodec : IRegionCodec
{
    /// <summary>In tiles of a TIFF libvips lets errors pass unless warnings count; those about tags do not.</summary>
    internal const Enums.FailOn TilesFailOn = Enums.FailOn.Warning;

    /// <summary>Loads libvips.</summary>
    /// <exception cref="DllNotFoundException">No libvips was found.</exception>
    /// <exception cref="InvalidOperationException">libvips did not start.</exception>
    public VipsCodec() => VipsLibrary.Initialize();

    /// <inheritdoc/>
    /// <remarks>Unlimited: the number of scans alone is bounded.</remarks>
    public long MaxScannedPixels => long.MaxValue;

    /// <inheritdoc/>
    public bool Reads(ImageFormat format) => LoaderFor(format) is not null;

    /// <inheritdoc/>
    public unsafe ICodecImage? Open(byte* file, int length, ImageFormat format)
    {
        var encoded = new ReadOnlySpan<byte>(file, length);
        try
        {
            // Lazy: the header is read, the pixels are decoded when they are written. The package copies the file.
            var stored = Image.NewFromBuffer(encoded, access: Enums.Access.Sequential, failOn: Enums.FailOn.Error);
            if (stored.Contains("tile-width"))
            {
                stored.Dispose();
                stored = Image.NewFromBuffer(encoded, access: Enums.Access.Sequential, failOn: TilesFailOn);
            }

            // libvips looks at the bytes itself, and may choose another loader.
            if (stored.Get("vips-loader") is string loader
                && loader.StartsWith(LoaderFor(format)!, StringComparison.Ordinal))
            {
                return new VipsImage(stored);
            }

            stored.Dispose();
            return null;
        }
        catch (VipsException)
        {
            // libvips keeps its messages in one buffer for the process: this one may belong to another request.
            return null;
        }
    }

    /// <inheritdoc/>
    public unsafe ICodecPage? OpenPage(byte* file, int length, int page, int subdirectory) =>
        VipsPage.Open(file, length, page, subdirectory);

    private static string? LoaderFor(ImageFormat format) => format switch
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
