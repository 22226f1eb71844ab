using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fpn.Detection.RoiHeads;

/// <summary>Softmax of one row in float32, the largest logit subtracted first.</summary>
internal static class Softmax
{
    /// <summary>Rows are padded to a multiple of this many columns.</summary>
    public const int Lanes = 8;

    /// <summary>e^−104 rounds to 0 in float32.</summary>
    private const float Lowest = -104;

    private const float Log2E = 1.44269504f;

    /// <summary>Upper part of ln 2 in nine bits, so that its product with a whole number up to 150 is exact; and the
    /// rest.</summary>
    private const float Ln2Upper = 0.693359375f;
    private const float Ln2Lower = -2.12194440e-4f;

    /// <summary>1.5 · 2^23: adding it leaves no bits for a fraction, so that a float is rounded, half to
    /// even.</summary>
    private const float Rounder = 12582912f;

    /// <summary>Replaces logits by scores.</summary>
    /// <param name="row">Finite logits, padded with −∞ to a multiple of <see cref="Lanes"/>; receives the scores, 0 in
    /// the padding.</param>
    public static void Apply(Span<float> row)
    {
        if (Vector128.IsHardwareAccelerated)
        {
            ApplyVector(row);
        }
        else
        {
            ApplyScalar(row);
        }
    }

    /// <inheritdoc cref="Apply"/>
    /// <remarks>Eight lanes, no remainder. Sums lane by lane and folds the lanes at the end, exactly as its twin
    /// <see cref="ApplyScalar"/> does, so that both give the same bits.</remarks>
    internal static void ApplyVector(Span<float> row)
    {
        ref var start = ref MemoryMarshal.GetReference(row);
        var length = (nuint)row.Length;
        var max = Vector256.Create(float.NegativeInfinity);
        for (nuint i = 0; i < length; i += Lanes)
        {
            max = Vector256.MaxNative(max, Vector256.LoadUnsafe(ref start, i));
        }

        var largest = float.NegativeInfinity;
        for (var lane = 0; lane < Lanes; lane++)
        {
            largest = MathF.Max(largest, max[lane]);
        }

        max = Vector256.Create(largest);
        var sums = Vector256<float>.Zero;
        for (nuint i = 0; i < length; i += Lanes)
        {
            var exponential = Exp(Vector256.LoadUnsafe(ref start, i) - max);
            exponential.StoreUnsafe(ref start, i);
            sums += exponential;
        }

        var folded = sums.GetLower() + sums.GetUpper();
        var sum = Vector256.Create((folded[0] + folded[2]) + (folded[1] + folded[3]));
        for (nuint i = 0; i < length; i += Lanes)
        {
            (Vector256.LoadUnsafe(ref start, i) / sum).StoreUnsafe(ref start, i);
        }
    }

    /// <inheritdoc cref="Apply"/>
    internal static void ApplyScalar(Span<float> row)
    {
        var largest = float.NegativeInfinity;
        foreach (var logit in row)
        {
            largest = MathF.Max(largest, logit);
        }

        Span<float> sums = stackalloc float[Lanes];
        sums.Clear();
        for (var i = 0; i < row.Length; i++)
        {
            row[i] = Exp(row[i] - largest);
            sums[i % Lanes] += row[i];
        }

        var sum = ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
        for (var i = 0; i < row.Length; i++)
        {
            row[i] /= sum;
        }
    }

    /// <summary>e^x within about one unit in the last place, for x ≤ 0; −∞ gives 0.</summary>
    /// <remarks>
    /// x = n ln 2 + r with |r| ≤ ln 2 / 2; e^r by its Taylor series up to r^7/7!, whose error of 5e-9 is below
    /// float32's 6e-8; then times 2^n in two steps, so that results below the normal numbers are rounded only once.
    /// Operations are not fused, so that the vector and the scalar form agree to the bit.
    /// </remarks>
    internal static float Exp(float x)
    {
        x = MathF.Max(x, Lowest);
        var rounded = x * Log2E + Rounder;
        var n = rounded - Rounder;
        var r = x - n * Ln2Upper - n * Ln2Lower;
        var series = 1f / 5040;
        series = series * r + 1f / 720;
        series = series * r + 1f / 120;
        series = series * r + 1f / 24;
        series = series * r + 1f / 6;
        series = series * r + 0.5f;
        series = series * (r * r) + r + 1f;
        var power = BitConverter.SingleToInt32Bits(rounded) - BitConverter.SingleToInt32Bits(Rounder);
        var half = power >> 1;
        return series
            * BitConverter.Int32BitsToSingle((half + 127) << 23)
            * BitConverter.Int32BitsToSingle((power - half + 127) << 23);
    }

    /// <inheritdoc cref="Exp(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Exp(Vector256<float> x)
    {
        x = Vector256.MaxNative(x, Vector256.Create(Lowest));
        var rounded = x * Vector256.Create(Log2E) + Vector256.Create(Rounder);
        var n = rounded - Vector256.Create(Rounder);
        var r = x - n * Vector256.Create(Ln2Upper) - n * Vector256.Create(Ln2Lower);
        var series = Vector256.Create(1f / 5040);
        series = series * r + Vector256.Create(1f / 720);
        series = series * r + Vector256.Create(1f / 120);
        series = series * r + Vector256.Create(1f / 24);
        series = series * r + Vector256.Create(1f / 6);
        series = series * r + Vector256.Create(0.5f);
        series = series * (r * r) + r + Vector256<float>.One;
        var power = rounded.AsInt32() - Vector256.Create(Rounder).AsInt32();
        var half = power >> 1;
        var bias = Vector256.Create(127);
        return series * ((half + bias) << 23).AsSingle() * ((power - half + bias) << 23).AsSingle();
    }
}
