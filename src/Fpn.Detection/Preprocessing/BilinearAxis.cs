namespace Fpn.Detection.Preprocessing;

/// <summary>The two source positions and weights of every target position along one axis.</summary>
/// <remarks>
/// Half-pixel centers, no antialiasing: <c>source = max(ratio · (target + 0.5) − 0.5, 0)</c>, with
/// <c>ratio = old / new</c> rounded to float32 and the position kept in double until the weight is taken:
/// measured on torch 1.13's <c>F.interpolate(mode="bilinear", align_corners=False)</c>, which a float32
/// position misses by up to 1e-4 on wide images.
/// </remarks>
internal static class BilinearAxis
{
    /// <summary>Computes the source positions and the weight of one target position.</summary>
    /// <param name="target">0 … new size − 1.</param>
    /// <param name="ratio">From <see cref="Ratio"/>.</param>
    /// <param name="sourceSize">The old size.</param>
    /// <param name="lower">The first source position.</param>
    /// <param name="upper">The second: the next one, or the first again at the edge.</param>
    /// <returns>The weight of <paramref name="upper"/>, 0 … 1; the other's is 1 minus it.</returns>
    internal static float Locate(int target, double ratio, int sourceSize, out int lower, out int upper)
    {
        var position = Math.Max(ratio * (target + 0.5) - 0.5, 0);
        lower = Math.Min((int)position, sourceSize - 1);
        upper = Math.Min(lower + 1, sourceSize - 1);
        return Math.Min((float)(position - lower), 1);
    }

    /// <summary>Computes old size over new size, rounded to float32; exactly 1 where they are equal.</summary>
    internal static double Ratio(int sourceSize, int targetSize) => (float)sourceSize / targetSize;
}
