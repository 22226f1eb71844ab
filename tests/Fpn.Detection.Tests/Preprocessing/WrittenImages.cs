using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.Preprocessing;

/// <summary>Writes single images into new batches, whose memory held other bytes before.</summary>
internal static class WrittenImages
{
    /// <summary>In every byte of a tensor before it is written: a huge number as a float, and one as a half.</summary>
    internal const byte Stale = 0x7A;

    internal static InputOptions Usual { get; } = new() { MinSize = 800, MaxSize = 1333 };

    internal static InputOptions Unscaled { get; } = Usual with { Scale = 1, Mean = [0, 0, 0], Std = [1, 1, 1] };

    internal static InputOptions Pillow { get; } = Unscaled with { Resize = ResizeFilter.BilinearAntialias };

    /// <summary>Every filter with every type that it can make.</summary>
    internal static IReadOnlyList<(ResizeFilter Filter, PixelType Type)> Combinations { get; } =
    [
        (ResizeFilter.Bilinear, PixelType.Float32),
        (ResizeFilter.Bilinear, PixelType.Float16),
        (ResizeFilter.BilinearAntialias, PixelType.Float32),
        (ResizeFilter.BilinearAntialias, PixelType.Float16),
        (ResizeFilter.BilinearAntialias, PixelType.UInt8),
    ];

    /// <summary>Writes an image and returns its [3, H, W] floats.</summary>
    internal static float[] Run(
        InputOptions options, byte[] pixels, ImageSize source, ImageSize resized, ImageSize padded, bool vectorized)
    {
        using var batch = Write(options, pixels, source, resized, padded, PixelType.Float32, vectorized);
        return batch.Image<float>(0).ToArray();
    }

    /// <summary>Writes an image into a batch of one; the caller disposes it.</summary>
    internal static ImageBatch Write(
        InputOptions options,
        byte[] pixels,
        ImageSize source,
        ImageSize resized,
        ImageSize padded,
        PixelType type,
        bool vectorized)
    {
        var normalizer = new PixelNormalizer(options);
        var batch = ImageBatch.Rent(1, padded, type);
        Bytes(batch).Fill(Stale);
        if (vectorized)
        {
            normalizer.Write(pixels, source, resized, batch, 0);
        }
        else
        {
            normalizer.WriteScalar(
                new PixelRegion(pixels, source, new PixelRectangle(source)), resized, batch, 0);
        }

        return batch;
    }

    /// <summary>All bytes of a batch.</summary>
    internal static unsafe Span<byte> Bytes(ImageBatch batch) => new((void*)batch.Address, (int)batch.ByteLength);
}
