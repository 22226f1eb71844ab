using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Preprocessing;

/// <summary>Resizes, normalizes and transposes an image in one pass, straight into the model's input tensor.</summary>
/// <remarks>
/// Immutable and thread-safe; a call allocates nothing on the managed heap. Each value is
/// <c>(pixel · scale − mean) / std</c>, folded into one multiplication and one addition; a
/// <see cref="PixelType.Float16"/> is that value rounded, a <see cref="PixelType.UInt8"/> the resized byte itself.
/// With <see cref="ResizeFilter.Bilinear"/> the result is within 1e-5 of torchvision's transform, with
/// <see cref="ResizeFilter.BilinearAntialias"/> the resized bytes are those of Pillow's
/// <c>Image.resize(…, BILINEAR)</c>. Vector and scalar paths give the same bits.
/// </remarks>
public sealed class PixelNormalizer
{
    private readonly PlaneNormalization[] _planes;
    private readonly ResizeFilter _filter;

    /// <summary>Reads filter, color order and normalization from a model's input options.</summary>
    /// <param name="options">Its size rule is not used.</param>
    /// <exception cref="ArgumentException">Mean or std has not three values, one of them is not finite, a std is 0,
    /// or filter or color order is unknown.</exception>
    public PixelNormalizer(InputOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (!Enum.IsDefined(options.Resize) || !Enum.IsDefined(options.ColorOrder))
        {
            throw new ArgumentException("Unknown resize filter or color order.", nameof(options));
        }

        _planes = PlaneNormalization.FromOptions(options);
        _filter = options.Resize;
    }

    /// <summary>Writes one image of a batch, padding included.</summary>
    /// <param name="pixels">[H, W, 3] sRGB bytes, row-major, no gaps; H × W is <paramref name="source"/>.</param>
    /// <param name="source">The size of <paramref name="pixels"/>; both sides at least 1.</param>
    /// <param name="resized">The size to resize to; both sides at least 1, none above that of the batch.</param>
    /// <param name="batch">Its <see cref="ImageBatch.Type"/> decides what is written. Every value of the image is
    /// overwritten, the padding (right and bottom) with zeros.</param>
    /// <param name="index">Which image of the batch.</param>
    /// <exception cref="ArgumentException">The bytes do not fit the size, a side is below 1, the batch's size is
    /// smaller than <paramref name="resized"/>, there is no such image, or the batch holds bytes and the filter does
    /// not work on bytes.</exception>
    /// <exception cref="ObjectDisposedException">The batch was disposed.</exception>
    public void Write(ReadOnlySpan<byte> pixels, ImageSize source, ImageSize resized, ImageBatch batch, int index) =>
        Write(new PixelRegion(pixels, source, new PixelRectangle(source)), resized, batch, index);

    /// <summary>Writes a region of a picture as one image of a batch, padding included: the same values as if the
    /// region had been cut out first.</summary>
    /// <inheritdoc cref="Write(ReadOnlySpan{byte}, ImageSize, ImageSize, ImageBatch, int)"/>
    /// <param name="region">The pixels. A mirrored region is mirrored after resizing.</param>
    /// <param name="resized">The size to resize to; both sides at least 1, none above that of the batch.</param>
    /// <param name="batch">Its <see cref="ImageBatch.Type"/> decides what is written. Every value of the image is
    /// overwritten, the padding (right and bottom) with zeros.</param>
    /// <param name="index">Which image of the batch.</param>
    public void Write(in PixelRegion region, ImageSize resized, ImageBatch batch, int index) =>
        Resample(region, resized, batch, index, vectorized: true);

    /// <summary>Does the same without vector instructions.</summary>
    internal void WriteScalar(in PixelRegion region, ImageSize resized, ImageBatch batch, int index) =>
        Resample(region, resized, batch, index, vectorized: false);

    private unsafe void Resample(
        in PixelRegion region, ImageSize resized, ImageBatch batch, int index, bool vectorized)
    {
        ArgumentNullException.ThrowIfNull(batch);
        CheckSizes(region.Size, resized, batch.Size);
        if (batch.Type == PixelType.UInt8 && _filter != ResizeFilter.BilinearAntialias)
        {
            throw new ArgumentException(
                $"Only {ResizeFilter.BilinearAntialias} makes bytes, {_filter} does not.", nameof(batch));
        }

        var image = batch.ImageStart(index);
        if (_filter == ResizeFilter.Bilinear)
        {
            BilinearResampler.Resample(region, resized, batch.Size, _planes, image, batch.Type, vectorized);
        }
        else
        {
            AntialiasResampler.Resample(region, resized, batch.Size, _planes, image, batch.Type, vectorized);
        }

        // The resamplers write whole rows of the tensor, but not the rows below the image.
        batch.ClearRows(index, resized.Height);
        GC.KeepAlive(batch);
    }

    private static void CheckSizes(ImageSize source, ImageSize resized, ImageSize padded)
    {
        if (source.Height < 1 || source.Width < 1 || resized.Height < 1 || resized.Width < 1)
        {
            throw new ArgumentException($"Sizes must be at least 1x1: {source} to {resized}.", nameof(source));
        }

        if (padded.Height < resized.Height || padded.Width < resized.Width)
        {
            throw new ArgumentException(
                $"The padded size {padded} is smaller than the resized size {resized}.", nameof(padded));
        }
    }
}
