using Fpn.Imaging.Codecs;
using Fpn.Imaging.Headers;

namespace Fpn.Imaging.Decoding;

/// <summary>
/// The result of checking a file before any codec sees it: everything that codecs would find out late, at great cost
/// or not at all.
/// </summary>
/// <param name="Refusal">The reason why the file is not decoded, to follow "cannot be decoded: "; null where there is
/// none. A size that is too large takes precedence.</param>
/// <param name="Size">Columns and rows, where the file's own header is more reliable than a codec.</param>
/// <param name="JpegScans">The number of scans; 0 in other formats than JPEG.</param>
/// <param name="Tiff">The samples of a TIFF; default in other formats.</param>
internal readonly record struct FileCheck(
    string? Refusal, (uint Width, uint Height)? Size = null, int JpegScans = 0, TiffSamples Tiff = default)
{
    /// <summary>Encoders write about ten scans; each costs as much as a small picture, however little it
    /// holds.</summary>
    private const int MaxJpegScans = 100;

    /// <summary>All pages are visited before the first is decoded.</summary>
    private const int MaxTiffPages = 4096;

    /// <summary>Checks a whole file.</summary>
    internal static FileCheck Run(ReadOnlySpan<byte> encoded, ImageFormat format)
    {
        switch (format)
        {
            case ImageFormat.Jpeg:
                var markers = JpegMarkers.Read(encoded, MaxJpegScans + 1);
                return markers.Scans > MaxJpegScans
                    ? new FileCheck($"it has more than {MaxJpegScans} scans")
                    : new FileCheck(MissingEnd(markers.HasEnd), JpegScans: markers.Scans);
            case ImageFormat.Png:
                return new FileCheck(
                    MissingEnd(PngChunks.HasEnd(encoded)),
                    PngChunks.TryReadSize(encoded, out var width, out var height) ? (width, height) : null);
            case ImageFormat.Tiff:
                if (TiffPages.Count(encoded, MaxTiffPages + 1) > MaxTiffPages)
                {
                    return new FileCheck($"it has more than {MaxTiffPages} pages");
                }

                var tags = new TiffTags(encoded);
                var samples = TiffSamples.Read(tags);
                var looked = 0L;
                return new FileCheck(
                    samples.Refusal ?? TiffJpegTiles.Refuse(encoded, tags, ref looked), Tiff: samples);
            case ImageFormat.Webp:
                return new FileCheck(MissingEnd(WebpChunks.HasEnd(encoded)));
            case ImageFormat.Gif:
                return new FileCheck(MissingEnd(GifFirstFrame.HasEnd(encoded)));
            case ImageFormat.Bmp:
                return new FileCheck(BmpHeader.Refuse(encoded), BmpHeader.ReadSize(encoded));
            default:
                return default;
        }
    }

    private static string? MissingEnd(bool hasEnd) => hasEnd ? null : ImageDecoder.EndIsMissing;
}
