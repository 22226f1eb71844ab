namespace Fpn.Detection.Preprocessing;

/// <summary>Pillow's taps along one axis: a triangle that widens when shrinking, as fixed-point weights.</summary>
/// <remarks>Source: Pillow's <c>src/libImaging/Resample.c</c>: weights are computed and normalized in double, then
/// rounded to <see cref="FractionBits"/> bits, half away from zero.</remarks>
internal static unsafe class AntialiasAxis
{
    /// <summary>A weight of 1 is 1 &lt;&lt; this: 32 bits less 8 of the pixel and 2 of headroom.</summary>
    internal const int FractionBits = 22;

    /// <summary>Computes the most taps that one target position can have.</summary>
    internal static int TapCount(int sourceSize, int targetSize) =>
        checked((int)Math.Ceiling(Support(sourceSize, targetSize)) * 2 + 1);

    /// <summary>Computes the taps of one target position.</summary>
    /// <param name="target">0 … <paramref name="targetSize"/> − 1.</param>
    /// <param name="sourceSize">Old size.</param>
    /// <param name="targetSize">New size.</param>
    /// <param name="weights">Filled with <see cref="TapCount"/> weights, <paramref name="step"/> apart; those behind
    /// the last tap are 0.</param>
    /// <param name="step">Distance between two weights.</param>
    /// <param name="tapCount"><see cref="TapCount"/> of the two sizes.</param>
    /// <returns>The source position of the first tap.</returns>
    internal static int FillTaps(int target, int sourceSize, int targetSize, int* weights, int step, int tapCount)
    {
        var scale = (double)sourceSize / targetSize;
        var support = Support(sourceSize, targetSize);
        var inverse = 1 / support;
        var center = (target + 0.5) * scale;
        var first = Math.Max((int)(center - support + 0.5), 0);
        var taps = Math.Min((int)(center + support + 0.5), sourceSize) - first;

        var sum = 0.0;
        for (var t = 0; t < taps; t++)
        {
            sum += Triangle((t + first - center + 0.5) * inverse);
        }

        for (var t = 0; t < tapCount; t++)
        {
            var weight = t < taps ? Triangle((t + first - center + 0.5) * inverse) : 0;
            weight = sum == 0 ? weight : weight / sum;
            weights[(long)t * step] = (int)(weight * (1 << FractionBits) + 0.5);
        }

        return first;
    }

    private static double Support(int sourceSize, int targetSize) => Math.Max((double)sourceSize / targetSize, 1);

    private static double Triangle(double x) => Math.Max(1 - Math.Abs(x), 0);
}
