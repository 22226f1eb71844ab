using System.Runtime.InteropServices;

namespace Fpn.Detection.Geometry;

/// <summary>An axis-parallel box in continuous coordinates: x to the right, y down, pixel i covers [i, i +
/// 1).</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Upper edge.</param>
/// <param name="X2">Right edge; the width is X2 − X1, without "+ 1".</param>
/// <param name="Y2">Lower edge.</param>
/// <remarks>Four floats in a row, so <see cref="MemoryMarshal.Cast{TFrom, TTo}(ReadOnlySpan{TFrom})"/> reads an [N, 4]
/// tensor without copying.</remarks>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = 16)]
public readonly record struct Box(float X1, float Y1, float X2, float Y2)
{
    /// <summary>X2 − X1.</summary>
    public float Width => X2 - X1;

    /// <summary>Y2 − Y1.</summary>
    public float Height => Y2 - Y1;

    /// <summary>Width times height; negative or NaN when an edge is out of order or NaN.</summary>
    public float Area => (X2 - X1) * (Y2 - Y1);
}
