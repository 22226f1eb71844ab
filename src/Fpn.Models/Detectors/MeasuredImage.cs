using Fpn.Imaging.Pixels;

namespace Fpn.Models.Detectors;

/// <summary>A decoded image and the sizes that its model takes it through. Measured once, after decoding: the bucket of
/// its batch and its resizing follow from the same numbers.</summary>
/// <param name="Decoded">The picture; this value does not own it.</param>
/// <param name="Geometry">What <see cref="IDetector.Measure"/> returned for the picture's size.</param>
internal readonly record struct MeasuredImage(DecodedImage Decoded, ImageGeometry Geometry)
{
    /// <summary>Measures an image.</summary>
    /// <param name="decoded">The picture.</param>
    /// <param name="detector">The model that will run it.</param>
    public MeasuredImage(DecodedImage decoded, IDetector detector)
        : this(decoded, detector.Measure(decoded.Size))
    {
    }
}
