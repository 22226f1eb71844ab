namespace Fpn.Detection.Suppression;

/// <summary>A score and a position in one number; ascending keys mean higher score first, then lower
/// position.</summary>
/// <remarks>The upper half is the score's bit pattern, turned so that it orders backwards; −0 and +0 count as equal, as
/// in comparisons of floats. A NaN has a fixed but meaningless place.</remarks>
internal static class RankKey
{
    /// <summary>Makes the key of a score at a position.</summary>
    /// <param name="score">Any number.</param>
    /// <param name="position">0 or more.</param>
    public static ulong Create(float score, int position)
    {
        // Adding zero turns −0 into +0: equal scores must tie, whatever the sign bit.
        var bits = BitConverter.SingleToInt32Bits(score + 0f);
        var descending = (uint)bits ^ (bits < 0 ? 0u : 0x7FFF_FFFFu);
        return ((ulong)descending << 32) | (uint)position;
    }

    /// <summary>Returns the score in a key; −0 becomes +0.</summary>
    public static float Score(ulong key)
    {
        var descending = (uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle(descending ^ ((descending & 0x8000_0000u) != 0 ? 0u : 0x7FFF_FFFFu));
    }

    /// <summary>Returns the position in a key.</summary>
    public static int Position(ulong key) => (int)(uint)key;
}
