namespace Fpn.Detection.Geometry;

/// <summary>The size of an image or a grid, in whole pixels or cells.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public readonly record struct ImageSize(int Height, int Width)
{
    /// <summary>Rows times columns; does not overflow.</summary>
    public long Area => (long)Height * Width;

    /// <inheritdoc/>
    public override string ToString() => $"{Height}x{Width}";
}
