namespace Fpn.Detection.Suppression;

/// <summary>Moves the smallest of many distinct keys to the front, in linear time for any data.</summary>
/// <remarks>Radix selection from the highest digit: each pass keeps only the keys that share the digit in which the
/// border lies. There is no pivot to guess, so no order of the data is slow. Not thread-safe.</remarks>
internal sealed class RankSelector
{
    private const int DigitBits = 11;
    private const int DigitCount = 1 << DigitBits;

    private readonly int[] _histogram = new int[DigitCount];

    /// <summary>Moves the <paramref name="count"/> smallest keys to the front, in no particular order.</summary>
    /// <param name="keys">Distinct keys.</param>
    /// <param name="count">1 to the number of keys.</param>
    /// <returns>The largest of the keys moved to the front.</returns>
    public ulong MoveSmallestToFront(Span<ulong> keys, int count)
    {
        // Keys before `from` belong to the smallest, those from `to` on do not; between them it is open.
        var from = 0;
        var to = keys.Length;
        for (var shift = 64 - DigitBits; to > count; shift = Math.Max(0, shift - DigitBits))
        {
            var open = keys[from..to];
            var border = BorderDigit(open, shift, count - from);
            to = from + Partition(open, shift, border + 1);
            from += Partition(keys[from..to], shift, border);
        }

        ulong largest = 0;
        foreach (var key in keys[..count])
        {
            largest = Math.Max(largest, key);
        }

        return largest;
    }

    private static int Digit(ulong key, int shift) => (int)(key >> shift) & (DigitCount - 1);

    /// <summary>Moves keys whose digit is below a limit to the front and counts them.</summary>
    private static int Partition(Span<ulong> keys, int shift, int limit)
    {
        var below = 0;
        for (var i = 0; i < keys.Length; i++)
        {
            // Swapped every time and counted only when it belongs in front: the data cannot mispredict a branch.
            var key = keys[i];
            keys[i] = keys[below];
            keys[below] = key;
            below += Digit(key, shift) < limit ? 1 : 0;
        }

        return below;
    }

    /// <summary>The digit of the key that is the <paramref name="rank"/>th smallest, counted from 1.</summary>
    private int BorderDigit(ReadOnlySpan<ulong> keys, int shift, int rank)
    {
        Array.Clear(_histogram);
        foreach (var key in keys)
        {
            _histogram[Digit(key, shift)]++;
        }

        var digit = 0;
        for (var below = _histogram[0]; below < rank; below += _histogram[digit])
        {
            digit++;
        }

        return digit;
    }
}
