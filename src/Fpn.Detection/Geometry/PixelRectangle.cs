namespace Fpn.Detection.Geometry;

/// <summary>A rectangle of whole pixels.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Right">The column after the last.</param>
/// <param name="Bottom">The row after the last.</param>
public readonly record struct PixelRectangle(int Left, int Top, int Right, int Bottom)
{
    /// <summary>Creates the rectangle of a whole image.</summary>
    /// <param name="image">The image's size.</param>
    public PixelRectangle(ImageSize image)
        : this(0, 0, image.Width, image.Height)
    {
    }

    /// <summary>Rows and columns; negative where an edge is out of order.</summary>
    public ImageSize Size => new(Bottom - Top, Right - Left);

    /// <summary>Returns the rectangle with a margin around it.</summary>
    /// <param name="margin">Pixels on each side.</param>
    public PixelRectangle Grow(int margin) => new(Left - margin, Top - margin, Right + margin, Bottom + margin);

    /// <summary>Returns whether the rectangle has pixels and all of them are the image's.</summary>
    /// <param name="image">The image's size.</param>
    public bool LiesIn(ImageSize image) =>
        0 <= Left && Left < Right && Right <= image.Width && 0 <= Top && Top < Bottom && Bottom <= image.Height;
}
