namespace Fpn.Imaging.Pixels;

/// <summary>A rectangle of whole pixels.</summary>
/// <param name="Left">First column.</param>
/// <param name="Top">First row.</param>
/// <param name="Right">The column after the last.</param>
/// <param name="Bottom">The row after the last.</param>
internal readonly record struct PixelRectangle(int Left, int Top, int Right, int Bottom)
{
    /// <summary>The rectangle with a margin around it.</summary>
    public PixelRectangle Grow(int margin) => new(Left - margin, Top - margin, Right + margin, Bottom + margin);
}
