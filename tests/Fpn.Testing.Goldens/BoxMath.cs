using Fpn.Detection.Geometry;

namespace Fpn.Testing.Goldens;

/// <summary>How far boxes are apart.</summary>
internal static class BoxMath
{
    /// <summary>The largest difference of a coordinate; NaN where one is NaN, so that no tolerance lets it
    /// pass.</summary>
    public static float Distance(in Box a, in Box b) => MathF.Max(
        MathF.Max(MathF.Abs(a.X1 - b.X1), MathF.Abs(a.Y1 - b.Y1)),
        MathF.Max(MathF.Abs(a.X2 - b.X2), MathF.Abs(a.Y2 - b.Y2)));
}
