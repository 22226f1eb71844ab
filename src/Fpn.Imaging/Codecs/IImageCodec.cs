namespace Fpn.Imaging.Codecs;

/// <summary>A library that reads image files.</summary>
/// <remarks>
/// Thread-safe. The rules for every picture are enforced once, above the codecs: signature, end of file, numbers of
/// scans and pages, the pixel limit, orientation, alpha, inks, the first frame of a GIF. A codec sees only files that
/// passed those checks, and answers bad bytes with a result, never with an exception.
/// </remarks>
public interface IImageCodec
{
    /// <summary>Whether the codec reads files of a format.</summary>
    bool Reads(ImageFormat format);

    /// <summary>Pixels times scans of a JPEG that decoding may cost; more is refused.</summary>
    long MaxScannedPixels { get; }

    /// <summary>Reads the header of a file.</summary>
    /// <param name="file">The whole file; stays in place until the result is disposed.</param>
    /// <param name="length">The length of the file in bytes, at least 1.</param>
    /// <param name="format">The format that the signature shows; one that the codec reads.</param>
    /// <returns>The picture, not decoded yet, which the caller disposes; null when the header is damaged or the codec
    /// takes the file for something else.</returns>
    unsafe ICodecImage? Open(byte* file, int length, ImageFormat format);
}
