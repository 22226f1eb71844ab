using Fpn.Detection.Preprocessing;

namespace Fpn.Detection.Tests.Preprocessing;

public sealed unsafe class HalfRoundingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Round_ByHand_IsTheNearestAndEvenAtTies(bool vectorized)
    {
        // Halves from 2048 on are even numbers, so that odd ones are ties. 2^-24 is the smallest half; half of it is a
        // tie with 0. 65504 is the largest; from 65520 on infinity is nearer, or as near and even.
        float[] values =
        [
            0, -0f, 1, -2.5f, 2049, 2051, -2049, 4098,
            5.9604645e-8f, 2.9802322e-8f, 2.9802326e-8f, -1e-30f, 65504, 65519.996f, 65520, float.NegativeInfinity,
        ];
        Half[] expected =
        [
            (Half)0, Half.NegativeZero, (Half)1, (Half)(-2.5), (Half)2048, (Half)2052, (Half)(-2048), (Half)4096,
            Half.Epsilon, (Half)0, Half.Epsilon, Half.NegativeZero,
            Half.MaxValue, Half.MaxValue, Half.PositiveInfinity, Half.NegativeInfinity,
        ];

        Assert.Equal(Bits(expected), Bits(Round(values, vectorized)));
    }

    [Fact]
    public void Round_VectorAndScalar_GiveTheSameBits()
    {
        // The steps go through all 32 bits: every exponent of either sign with 2048 mantissas. A tie follows each.
        const int Count = 1 << 20;
        const uint Step = 4093;
        var values = new float[2 * Count];
        for (var i = 0u; i < Count; i++)
        {
            var bits = i * Step;
            values[2 * i] = Number(bits);
            values[2 * i + 1] = Number((bits & 0xFFFF_E000) | 0x1000);
        }

        Assert.Equal(Bits(Round(values, vectorized: false)), Bits(Round(values, vectorized: true)));
    }

    [Fact]
    public void Round_EveryLength_WritesAllAndNothingElse()
    {
        for (var length = 0; length <= 50; length++)
        {
            var values = Enumerable.Range(1, length).Select(i => i / 3f).ToArray();

            Assert.Equal(Array.ConvertAll(values, value => (Half)value), Round(values, vectorized: true));
        }
    }

    /// <summary>The float of these bits, or 0 for those that are NaN.</summary>
    private static float Number(uint bits)
    {
        var value = BitConverter.UInt32BitsToSingle(bits);
        return float.IsNaN(value) ? 0 : value;
    }

    private static ushort[] Bits(Half[] halves) => Array.ConvertAll(halves, BitConverter.HalfToUInt16Bits);

    /// <summary>Rounds between two guards.</summary>
    private static Half[] Round(float[] values, bool vectorized)
    {
        var guard = Half.MinValue;
        var halves = new Half[values.Length + 2];
        Array.Fill(halves, guard);
        fixed (float* source = values)
        fixed (Half* target = halves)
        {
            HalfRounding.Round(source, target + 1, values.Length, vectorized);
        }

        Assert.Equal(guard, halves[0]);
        Assert.Equal(guard, halves[^1]);
        return halves[1..^1];
    }
}
