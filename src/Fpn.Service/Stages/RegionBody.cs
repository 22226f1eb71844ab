using Fpn.Detection.Geometry;
using Fpn.Service.Bodies;

namespace Fpn.Service.Stages;

/// <summary>The body of a request to <c>/regions</c>.</summary>
/// <param name="body">Holds the image; owned.</param>
/// <param name="image">The encoded image, a part of it.</param>
/// <param name="boxes">[N] xyxy, in pixels of the image; not checked against it.</param>
internal sealed class RegionBody(ImageBody body, ReadOnlyMemory<byte> image, IReadOnlyList<Box> boxes) : IDisposable
{
    /// <summary>The encoded image.</summary>
    public ReadOnlyMemory<byte> Image { get; } = image;

    /// <summary>[N] xyxy, in pixels of the image; not checked against it.</summary>
    public IReadOnlyList<Box> Boxes { get; } = boxes;

    /// <inheritdoc/>
    public void Dispose() => body.Dispose();
}
