using System.Runtime.Intrinsics;

namespace Fpn.Detection.Suppression;

/// <summary>What the intersection of two boxes is compared with. A type argument, so that the comparison is compiled
/// into the loop.</summary>
internal interface IOverlapMeasure
{
    /// <summary>Computes what the intersection is divided by.</summary>
    /// <param name="a">Area of the one box.</param>
    /// <param name="b">Area of the other.</param>
    /// <param name="intersection">Their common area.</param>
    static abstract float Divisor(float a, float b, float intersection);

    /// <inheritdoc cref="Divisor(float, float, float)"/>
    static abstract Vector256<float> Divisor(Vector256<float> a, Vector256<float> b, Vector256<float> intersection);
}

/// <summary>Intersection over union, as <see cref="Geometry.BoxOperations.IntersectionOverUnion"/> computes
/// it.</summary>
internal readonly struct OverUnion : IOverlapMeasure
{
    /// <inheritdoc/>
    public static float Divisor(float a, float b, float intersection) => a + b - intersection;

    /// <inheritdoc/>
    public static Vector256<float> Divisor(Vector256<float> a, Vector256<float> b, Vector256<float> intersection) =>
        a + b - intersection;
}

/// <summary>Intersection over the smaller box, as <see cref="Geometry.BoxOperations.IntersectionOverSmaller"/> computes
/// it.</summary>
internal readonly struct OverSmaller : IOverlapMeasure
{
    /// <inheritdoc/>
    public static float Divisor(float a, float b, float intersection) => MathF.Min(a, b);

    /// <inheritdoc/>
    public static Vector256<float> Divisor(Vector256<float> a, Vector256<float> b, Vector256<float> intersection) =>
        Vector256.MinNative(a, b);
}
