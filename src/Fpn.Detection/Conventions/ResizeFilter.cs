namespace Fpn.Detection.Conventions;

/// <summary>How pixels are interpolated when an image is resized.</summary>
public enum ResizeFilter
{
    /// <summary>Two taps an axis on floats, half-pixel centers, no antialiasing (torchvision).</summary>
    Bilinear,

    /// <summary>Pillow's bilinear on bytes: a wider triangle when shrinking, rounded to bytes after each axis
    /// (detectron2).</summary>
    BilinearAntialias,
}
