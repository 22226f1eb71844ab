using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Models.Detectors;

/// <summary>The sizes that an image goes through.</summary>
/// <param name="Original">As displayed (after EXIF orientation).</param>
/// <param name="Resized">After resizing; boxes are clipped to it.</param>
/// <param name="Padded">Its own size after padding to the divisor; the batch's may be larger.</param>
internal readonly record struct ImageGeometry(ImageSize Original, ImageSize Resized, ImageSize Padded);

/// <summary>A batch, ready for the device.</summary>
/// <param name="tensor">At least as many images as geometries; owned by this object.</param>
/// <param name="geometries">One for each image that has an answer.</param>
/// <param name="tasks">What is asked about each of them; null where it is detection for all.</param>
internal sealed class PreparedBatch(ImageBatch tensor, ImageGeometry[] geometries, ImageTask[]? tasks = null)
    : IDisposable
{
    /// <summary>The images as <see cref="ImageBatch.Type"/> says, padded with zeros; behind them blank ones that only
    /// fill the batch up.</summary>
    public ImageBatch Tensor { get; } = tensor;

    /// <summary>One for each image but the blank ones.</summary>
    public IReadOnlyList<ImageGeometry> Geometries { get; } = geometries;

    /// <summary>What is asked about an image.</summary>
    /// <param name="image">Its place in the batch; not that of a blank one.</param>
    public ImageTask TaskFor(int image) => tasks is null ? ImageTask.Detection : tasks[image];

    /// <inheritdoc/>
    public void Dispose() => Tensor.Dispose();
}
