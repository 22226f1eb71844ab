using Fpn.Imaging.Codecs;
using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Tiff;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using ImageFormat = Fpn.Imaging.Codecs.ImageFormat;

namespace Fpn.Imaging.ImageSharp;

/// <summary>Reads images with ImageSharp, which is managed code throughout.</summary>
/// <remarks>
/// Not safe on raw uploads by itself: compressed text in a PNG, hundreds of scans in a JPEG and other valid files cost
/// it minutes or gigabytes, and damaged ones make it throw exceptions of any type. So metadata is never read, every
/// allocation is bounded, and every exception becomes a refusal.
/// </remarks>
public sealed class ImageSharpCodec : IImageCodec
{
    /// <summary>
    /// Bytes of the widest pixel that it decodes into, with 16 bits a channel, and as many again for its own buffers.
    /// </summary>
    private const int LargestPixelBytes = 16;

    private const int Megabyte = 1 << 20;

    private readonly ImageFormat[] _formats;
    private readonly Configuration _configuration;

    /// <summary>Creates a codec.</summary>
    /// <param name="maxPixels">The most pixels of an image, which bounds the allocations.</param>
    /// <param name="formats">The formats to read, among those that ImageSharp supports; empty for all of them.</param>
    public ImageSharpCodec(long maxPixels, params ReadOnlySpan<ImageFormat> formats)
    {
        _formats = formats.IsEmpty
            ? [ImageFormat.Jpeg, ImageFormat.Png, ImageFormat.Webp, ImageFormat.Gif, ImageFormat.Tiff, ImageFormat.Bmp]
            : formats.ToArray();
        _configuration = new Configuration
        {
            MaxDegreeOfParallelism = 1,
            MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions
            {
                AllocationLimitMegabytes = (int)Math.Min(maxPixels * LargestPixelBytes / Megabyte + 1, int.MaxValue),
                MaximumPoolSizeMegabytes = 0,
            }),
        };
    }

    /// <inheritdoc/>
    /// <remarks>Each scan costs a pass over all blocks; this allows ten for a picture of 40 megapixels.</remarks>
    public long MaxScannedPixels => 400_000_000;

    /// <inheritdoc/>
    public bool Reads(ImageFormat format) => _formats.Contains(format);

    /// <inheritdoc/>
    public unsafe ICodecImage? Open(byte* file, int length, ImageFormat format)
    {
        var decoder = DecoderFor(format);
        try
        {
            using var stream = new UnmanagedMemoryStream(file, length);
            return ((IImageInfoDetector)decoder).Identify(_configuration, stream, CancellationToken.None) is { } info
                ? new ImageSharpImage(file, length, decoder, _configuration, info, format)
                : null;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Damaged files make it throw many types, IndexOutOfRangeException and NullReferenceException among them.
            return null;
        }
    }

    private static IImageDecoder DecoderFor(ImageFormat format) => format switch
    {
        ImageFormat.Jpeg => new JpegDecoder { IgnoreMetadata = true },
        ImageFormat.Png => new PngDecoder { IgnoreMetadata = true },
        ImageFormat.Webp => new WebpDecoder { IgnoreMetadata = true },
        ImageFormat.Gif => new GifDecoder { IgnoreMetadata = true, DecodingMode = FrameDecodingMode.First },
        ImageFormat.Tiff => new TiffDecoder { IgnoreMetadata = true, DecodingMode = FrameDecodingMode.First },
        _ => new BmpDecoder(),
    };
}
