using System.Runtime.InteropServices;

namespace Fpn.Detection.Geometry;

/// <summary>A box regression: how far a reference box is from the object, unitless (eq. 2, Faster R-CNN,
/// arXiv:1506.01497).</summary>
/// <param name="Dx">Shift of the center in widths of the reference, times its weight.</param>
/// <param name="Dy">Shift of the center in heights of the reference, times its weight.</param>
/// <param name="Dw">Logarithm of the ratio of the widths, times its weight.</param>
/// <param name="Dh">Logarithm of the ratio of the heights, times its weight.</param>
[StructLayout(LayoutKind.Sequential, Pack = 4, Size = 16)]
public readonly record struct BoxDeltas(float Dx, float Dy, float Dw, float Dh);

/// <summary>Factors of the deltas in training; deltas are divided by them before use.</summary>
/// <param name="X">Weight of Dx.</param>
/// <param name="Y">Weight of Dy.</param>
/// <param name="W">Weight of Dw.</param>
/// <param name="H">Weight of Dh.</param>
public readonly record struct BoxWeights(float X, float Y, float W, float H)
{
    /// <summary>No weights, as in an RPN.</summary>
    public static BoxWeights One => new(1, 1, 1, 1);
}
