using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Fpn.Detection.Tensors;

/// <summary>Looks for NaN and infinity in a model's outputs.</summary>
public static class FiniteCheck
{
    private const int MagnitudeMask = 0x7FFF_FFFF;
    private const int InfinityBits = 0x7F80_0000;

    /// <summary>Requires every value to be finite.</summary>
    /// <param name="tensor">The output's name, for the exception.</param>
    /// <param name="values">Any length; may be empty.</param>
    /// <returns>The largest magnitude among the values, 0 if there are none.</returns>
    /// <exception cref="NonFiniteOutputException">A value is NaN or an infinity.</exception>
    public static float RequireFinite(string tensor, ReadOnlySpan<float> values)
    {
        var bits = Vector128.IsHardwareAccelerated ? MagnitudeBits(values) : MagnitudeBitsScalar(values);
        if (bits >= InfinityBits)
        {
            Throw(tensor, values);
        }

        return BitConverter.Int32BitsToSingle(bits);
    }

    /// <summary>Returns the largest bit pattern without the sign: patterns order as magnitudes do, then come infinity
    /// and NaN.</summary>
    /// <remarks>Eight lanes, four vectors a turn, the remainder one by one. Twin:
    /// <see cref="MagnitudeBitsScalar"/>.</remarks>
    internal static int MagnitudeBits(ReadOnlySpan<float> values)
    {
        ref var start = ref Unsafe.As<float, int>(ref MemoryMarshal.GetReference(values));
        var mask = Vector256.Create(MagnitudeMask);
        Vector256<int> max0 = Vector256<int>.Zero, max1 = max0, max2 = max0, max3 = max0;
        nuint i = 0;
        var length = (nuint)values.Length;
        for (; i + 32 <= length; i += 32)
        {
            max0 = Vector256.Max(max0, Vector256.LoadUnsafe(ref start, i) & mask);
            max1 = Vector256.Max(max1, Vector256.LoadUnsafe(ref start, i + 8) & mask);
            max2 = Vector256.Max(max2, Vector256.LoadUnsafe(ref start, i + 16) & mask);
            max3 = Vector256.Max(max3, Vector256.LoadUnsafe(ref start, i + 24) & mask);
        }

        for (; i + 8 <= length; i += 8)
        {
            max0 = Vector256.Max(max0, Vector256.LoadUnsafe(ref start, i) & mask);
        }

        var max = Vector256.Max(Vector256.Max(max0, max1), Vector256.Max(max2, max3));
        var bits = MagnitudeBitsScalar(values[(int)i..]);
        for (var lane = 0; lane < Vector256<int>.Count; lane++)
        {
            bits = Math.Max(bits, max[lane]);
        }

        return bits;
    }

    /// <inheritdoc cref="MagnitudeBits"/>
    internal static int MagnitudeBitsScalar(ReadOnlySpan<float> values)
    {
        var bits = 0;
        foreach (var value in values)
        {
            bits = Math.Max(bits, BitConverter.SingleToInt32Bits(value) & MagnitudeMask);
        }

        return bits;
    }

    private static void Throw(string tensor, ReadOnlySpan<float> values)
    {
        var index = 0;
        while (float.IsFinite(values[index]))
        {
            index++;
        }

        throw new NonFiniteOutputException(tensor, index, values[index]);
    }
}
