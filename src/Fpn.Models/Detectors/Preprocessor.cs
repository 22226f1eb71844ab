using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Tensors;

namespace Fpn.Models.Detectors;

/// <summary>Makes batch tensors of decoded images, several images side by side. Thread-safe.</summary>
/// <param name="options">The model's input rule.</param>
/// <param name="type">What the graph takes images as; <see cref="PixelType.UInt8"/> only where the rule resizes
/// bytes.</param>
/// <param name="memory">Where tensors lie; null for memory of the process that every device can read.</param>
/// <param name="resizeInside">The graph resizes and normalizes images: they keep their size, pixels are scaled
/// only.</param>
internal sealed class Preprocessor(
    InputOptions options, PixelType type, ITensorMemoryPool? memory = null, bool resizeInside = false)
{
    private readonly ResizeTransform _transform = new(options);
    private readonly PixelNormalizer _normalizer = new(
        resizeInside ? options with { Mean = [0, 0, 0], Std = [1, 1, 1] } : options);

    /// <inheritdoc cref="IDetector.Measure"/>
    public ImageGeometry Measure(ImageSize original, int? minSize = null)
    {
        if (resizeInside)
        {
            return new ImageGeometry(original, original, original);
        }

        var transform = minSize is { } side ? new ResizeTransform(options.WithMinSize(side)) : _transform;
        var resized = transform.ResizedSize(original);
        return new ImageGeometry(original, resized, transform.PaddedSize(resized));
    }

    /// <summary>Resizes and normalizes images straight into a batch tensor.</summary>
    /// <param name="padded">Size of the tensor; at least the padded size of every image.</param>
    /// <param name="images">The pictures, resized to the sizes that were measured.</param>
    /// <param name="count">Images of the tensor, at least as many as there are pictures; those behind them are blank.
    /// Null for as many as there are pictures.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are more pictures than <paramref name="count"/>.</exception>
    public PreparedBatch Prepare(ImageSize padded, IReadOnlyList<MeasuredImage> images, int? count = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count ?? images.Count, images.Count, nameof(count));
        var geometries = new ImageGeometry[images.Count];
        ImageTask[]? tasks = null;
        for (var i = 0; i < images.Count; i++)
        {
            geometries[i] = images[i].Geometry;
            if (images[i].Task != ImageTask.Detection)
            {
                tasks ??= [.. images.Select(image => image.Task)];
            }
        }

        var tensor = ImageBatch.Rent(count ?? images.Count, padded, type, memory);
        try
        {
            SideBySide.ForEach(tensor.Count, index => Write(images, tensor, index));
            return new PreparedBatch(tensor, geometries, tasks);
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    private void Write(IReadOnlyList<MeasuredImage> images, ImageBatch tensor, int index)
    {
        if (index >= images.Count)
        {
            tensor.Clear(index);
            return;
        }

        _normalizer.Write(images[index].Pixels, images[index].Geometry.Resized, tensor, index);
    }
}
