using Fpn.Detection.Preprocessing;
using Fpn.Detection.Views;
using Fpn.Imaging.Pixels;

namespace Fpn.Models.Detectors;

/// <summary>A view of a decoded image and the sizes that the model takes it through. Measured once, after decoding: the
/// bucket of its batch and its resizing follow from the same numbers.</summary>
/// <param name="Decoded">The picture; this value does not own it, and views of one picture share it.</param>
/// <param name="View">The part of the picture that the model sees.</param>
/// <param name="Geometry">What <see cref="IDetector.Measure"/> returned for the view.</param>
internal readonly record struct MeasuredImage(DecodedImage Decoded, View View, ImageGeometry Geometry)
{
    /// <summary>Measures a whole image in the model's own size.</summary>
    /// <param name="decoded">The picture.</param>
    /// <param name="detector">The model that will run it.</param>
    public MeasuredImage(DecodedImage decoded, IDetector detector)
        : this(decoded, new View(decoded.Size), detector.Measure(decoded.Size))
    {
    }

    /// <summary>What the model is asked about it.</summary>
    public ImageTask Task { get; init; } = ImageTask.Detection;

    /// <summary>The pixels that the model sees.</summary>
    public PixelRegion Pixels => new(Decoded.Pixels, Decoded.Size, View.Region) { IsMirrored = View.IsMirrored };
}
