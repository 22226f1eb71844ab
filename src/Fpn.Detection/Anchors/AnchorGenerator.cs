using System.Globalization;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;

namespace Fpn.Detection.Anchors;

/// <summary>Computes the anchors of each level one at a time.</summary>
/// <remarks>
/// Only anchors that survive the first cut are needed, so no grid of anchors is stored.
/// Sources: <c>AnchorGenerator</c> in torchvision's <c>models/detection/anchor_utils.py</c> and
/// <c>DefaultAnchorGenerator</c> in detectron2's <c>modeling/anchor_generator.py</c>. Immutable, so thread-safe.
/// </remarks>
public sealed class AnchorGenerator
{
    private readonly PyramidLevel[] _levels;
    private readonly float[] _ratios;
    private readonly AnchorOrder _order;
    private readonly Box[][] _cells;

    /// <summary>Computes the anchors of one cell of each level.</summary>
    /// <param name="options">Levels, ratios and rounding.</param>
    /// <exception cref="ArgumentException">There is no level or no ratio, a level has no size, or a size, ratio or
    /// stride is not positive and finite.</exception>
    public AnchorGenerator(AnchorOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _levels = [.. options.Levels];
        _ratios = [.. options.AspectRatios];
        _order = options.Order;
        RequirePositive(options.AspectRatios, "aspect ratios");
        if (_levels.Length == 0)
        {
            throw new ArgumentException("There must be at least one level.", nameof(options));
        }

        _cells = new Box[_levels.Length][];
        for (var level = 0; level < _levels.Length; level++)
        {
            RequirePositive(_levels[level].AnchorSizes, $"anchor sizes of {_levels[level].Name}");
            if (_levels[level].Stride is <= 0)
            {
                throw new ArgumentException($"The stride of {_levels[level].Name} must be positive.", nameof(options));
            }

            _cells[level] = Cell(level, options);
        }
    }

    /// <summary>Number of levels.</summary>
    public int LevelCount => _levels.Length;

    /// <summary>The levels, finest first.</summary>
    public IReadOnlyList<PyramidLevel> Levels => _levels;

    /// <summary>Returns A: anchors at each cell of a level, sizes times ratios.</summary>
    /// <param name="level">0 for the first level.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public int AnchorsPerCell(int level) => CellAnchors(level).Length;

    /// <summary>Returns [A] the anchors of a level around the origin, xyxy, padded-input pixels.</summary>
    /// <param name="level">0 for the first level.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    /// <remarks>Size 32 at ratio 0.5 is (−23, −11, 23, 11) when rounded.</remarks>
    public ReadOnlySpan<Box> CellAnchors(int level)
    {
        RequireLevel(level);
        return _cells[level];
    }

    /// <summary>Returns the size and the ratio that one of a cell's anchors is made from.</summary>
    /// <param name="level">0 for the first level.</param>
    /// <param name="anchorInCell">0 to A − 1.</param>
    /// <returns>Square root of the area before rounding, in padded-input pixels, and height over width.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level or anchor.</exception>
    public (float Size, float AspectRatio) Shape(int level, int anchorInCell)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(anchorInCell);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(anchorInCell, AnchorsPerCell(level));
        var sizes = _levels[level].AnchorSizes;
        return _order == AnchorOrder.RatioOuter
            ? (sizes[anchorInCell % sizes.Count], _ratios[anchorInCell / sizes.Count])
            : (sizes[anchorInCell / _ratios.Length], _ratios[anchorInCell % _ratios.Length]);
    }

    /// <summary>Computes one anchor.</summary>
    /// <param name="level">0 for the first level.</param>
    /// <param name="anchorInCell">0 to A − 1.</param>
    /// <param name="y">Row of the cell in the level's grid.</param>
    /// <param name="x">Column of the cell in the level's grid.</param>
    /// <param name="strideY">Distance of rows, padded-input pixels; see <see cref="Strides"/>.</param>
    /// <param name="strideX">Distance of columns, padded-input pixels.</param>
    /// <returns>xyxy, padded-input pixels (which are resized-image pixels), not clipped.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public Box Anchor(int level, int anchorInCell, int y, int x, int strideY, int strideX) =>
        Shift(CellAnchors(level)[anchorInCell], y, x, strideY, strideX);

    /// <summary>Computes the distance of a level's neighboring anchors.</summary>
    /// <param name="level">0 for the first level.</param>
    /// <param name="padded">The image's own padded size, not the batch's.</param>
    /// <param name="grid">The grid that a batch of this image alone would have at this level.</param>
    /// <returns>Padded-input pixels: the level's fixed stride, or padded size // grid size, per axis.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level, or a size is negative.</exception>
    /// <remarks>At height 800, P6 has 13 rows and stride 61, not 64. An axis without cells counts as one
    /// cell.</remarks>
    public (int StrideY, int StrideX) Strides(int level, ImageSize padded, ImageSize grid)
    {
        RequireLevel(level);
        ArgumentOutOfRangeException.ThrowIfNegative(padded.Height, nameof(padded));
        ArgumentOutOfRangeException.ThrowIfNegative(padded.Width, nameof(padded));
        ArgumentOutOfRangeException.ThrowIfNegative(grid.Height, nameof(grid));
        ArgumentOutOfRangeException.ThrowIfNegative(grid.Width, nameof(grid));
        return _levels[level].Stride is int stride
            ? (stride, stride)
            : (padded.Height / Math.Max(1, grid.Height), padded.Width / Math.Max(1, grid.Width));
    }

    /// <summary>Moves a cell anchor to its place in the grid; the shift is a whole number, exact in float32 up to
    /// 2^24.</summary>
    internal static Box Shift(in Box cellAnchor, int y, int x, int strideY, int strideX)
    {
        float shiftX = (long)x * strideX;
        float shiftY = (long)y * strideY;
        return new Box(
            cellAnchor.X1 + shiftX, cellAnchor.Y1 + shiftY, cellAnchor.X2 + shiftX, cellAnchor.Y2 + shiftY);
    }

    private Box[] Cell(int level, AnchorOptions options)
    {
        var cell = new Box[_levels[level].AnchorSizes.Count * _ratios.Length];

        // Shape reads the cell's length.
        _cells[level] = cell;
        for (var i = 0; i < cell.Length; i++)
        {
            (var size, var ratio) = Shape(level, i);
            (var width, var height) = options.Arithmetic == AnchorArithmetic.SinglePrecision
                ? SinglePrecisionSides(size, ratio)
                : DoublePrecisionSides(size, ratio);
            Box anchor = new(-width / 2, -height / 2, width / 2, height / 2);
            cell[i] = options.Rounded
                ? new Box(Round(anchor.X1), Round(anchor.Y1), Round(anchor.X2), Round(anchor.Y2))
                : anchor;
        }

        return cell;
    }

    private static (float Width, float Height) SinglePrecisionSides(float size, float ratio)
    {
        var heightRatio = MathF.Sqrt(ratio);
        return (1 / heightRatio * size, heightRatio * size);
    }

    private static (float Width, float Height) DoublePrecisionSides(float size, float ratio)
    {
        // The reference computes in double from the decimals in a configuration: its 0.33 is not the double of 0.33f.
        var exactSize = AsWritten(size);
        var exactRatio = AsWritten(ratio);
        var width = Math.Sqrt(exactSize * exactSize / exactRatio);
        return ((float)width, (float)(exactRatio * width));
    }

    private static double AsWritten(float value) =>
        double.Parse(value.ToString("R", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    private static float Round(float value) => MathF.Round(value, MidpointRounding.ToEven);

    private static void RequirePositive(IReadOnlyList<float> values, string what)
    {
        if (values.Count == 0 || values.Any(value => !(value > 0 && float.IsFinite(value))))
        {
            throw new ArgumentException($"The {what} must be positive numbers, at least one.");
        }
    }

    private void RequireLevel(int level)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(level);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(level, _levels.Length);
    }
}
