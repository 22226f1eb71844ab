using Fpn.Detection.Tensors;

namespace Fpn.Detection.Suppression;

/// <summary>Sorts <see cref="RankKey"/>s whose positions already ascend, in linear time.</summary>
/// <remarks>Radix sort on the upper 32 bits, three digits from the lowest; stable, so the positions need no pass of
/// their own. Keeps its second buffer between calls; not thread-safe.</remarks>
internal sealed class RankSorter
{
    private const int DigitBits = 11;
    private const int DigitCount = 1 << DigitBits;
    private const int Passes = 3;

    /// <summary>Below this, an ordinary sort is faster than clearing the histograms.</summary>
    private const int SmallLength = 200;

    private readonly int[] _histograms = new int[Passes * DigitCount];
    private ulong[] _buffer = [];

    /// <summary>Sorts in place, ascending.</summary>
    /// <param name="keys">Keys whose positions ascend.</param>
    public void Sort(Span<ulong> keys)
    {
        if (keys.Length < SmallLength)
        {
            keys.Sort();
            return;
        }

        WorkArray.Grow(ref _buffer, keys.Length);
        Count(keys);
        var from = keys;
        var to = _buffer.AsSpan(0, keys.Length);
        for (var pass = 0; pass < Passes; pass++)
        {
            var starts = _histograms.AsSpan(pass * DigitCount, DigitCount);
            var shift = Shift(pass);
            if (starts[Digit(from[0], shift)] == keys.Length)
            {
                // One digit for all, as in the upper bits of scores between 0 and 1: nothing would move.
                continue;
            }

            var next = 0;
            for (var digit = 0; digit < DigitCount; digit++)
            {
                var count = starts[digit];
                starts[digit] = next;
                next += count;
            }

            foreach (var key in from)
            {
                to[starts[Digit(key, shift)]++] = key;
            }

            var other = from;
            from = to;
            to = other;
        }

        if (!from.Overlaps(keys))
        {
            from.CopyTo(keys);
        }
    }

    private static int Shift(int pass) => 32 + pass * DigitBits;

    private static int Digit(ulong key, int shift) => (int)(key >> shift) & (DigitCount - 1);

    private void Count(ReadOnlySpan<ulong> keys)
    {
        Array.Clear(_histograms);
        var first = _histograms.AsSpan(0, DigitCount);
        var second = _histograms.AsSpan(DigitCount, DigitCount);
        var third = _histograms.AsSpan(2 * DigitCount, DigitCount);
        foreach (var key in keys)
        {
            first[Digit(key, Shift(0))]++;
            second[Digit(key, Shift(1))]++;
            third[Digit(key, Shift(2))]++;
        }
    }
}
