using System.Runtime.Intrinsics;

namespace Fpn.Detection.Preprocessing;

/// <summary>Rounds floats to the nearest half, ties to even (IEEE 754), beyond the largest to infinity.</summary>
internal static unsafe class HalfRounding
{
    /// <summary>The bits of 65520, from which on halves are infinite: half way between the largest and 2^16.</summary>
    private const uint FirstInfinite = 0x477F_F000;

    /// <summary>The bits of 2^-14, the smallest half with a full mantissa.</summary>
    private const uint SmallestNormal = 0x3880_0000;

    /// <param name="values">Not NaN.</param>
    /// <param name="halves">Written; apart from <paramref name="values"/>.</param>
    /// <param name="count">Of both.</param>
    /// <param name="vectorized">Lanes: 16 floats; the remainder, and everything where this is false, is scalar.</param>
    internal static void Round(float* values, Half* halves, int count, bool vectorized)
    {
        var i = 0;
        if (vectorized && Vector256.IsHardwareAccelerated)
        {
            for (; i <= count - Vector256<ushort>.Count; i += Vector256<ushort>.Count)
            {
                var lower = Round(Vector256.Load(values + i));
                var upper = Round(Vector256.Load(values + i + Vector256<float>.Count));
                Vector256.Narrow(lower, upper).Store((ushort*)halves + i);
            }
        }

        for (; i < count; i++)
        {
            halves[i] = (Half)values[i];
        }
    }

    /// <summary>Eight values at once; the bits of a half are the lower 16 of each lane.</summary>
    private static Vector256<uint> Round(Vector256<float> values)
    {
        var sign = values.AsUInt32() & Vector256.Create(0x8000_0000u);
        var magnitude = Vector256.Min(values.AsUInt32() ^ sign, Vector256.Create(FirstInfinite));

        // A power of two is added, 2^13 times as large as the value's own: the sum has room for the ten bits of a
        // half's mantissa only, and the addition rounds to them. Below the smallest normal half the power stays the
        // same, so that bits are lost as in a half that is not normal.
        var power = Vector256.Max(magnitude, Vector256.Create(SmallestNormal)) & Vector256.Create(0x7F80_0000u);
        power += Vector256.Create(13u << 23);
        var sum = (magnitude.AsSingle() + power.AsSingle()).AsUInt32();

        // The sum's lower bits are the half's leading one and mantissa; the exponent goes above them, less the one that
        // the leading one carries into it.
        var exponent = (sum - Vector256.Create(126u << 23)) >>> 13;
        return (sum - Vector256.Create(126u << 23)) + exponent | (sign >>> 16);
    }
}
