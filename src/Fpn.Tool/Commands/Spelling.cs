namespace Fpn.Tool.Commands;

/// <summary>Guesses which word was meant by a mistyped one.</summary>
internal static class Spelling
{
    private const int MaxDistance = 3;

    /// <summary>Finds the nearest word.</summary>
    /// <param name="typed">What was typed.</param>
    /// <param name="known">What may have been meant; the first one wins a tie.</param>
    /// <returns>Null when more than three letters differ.</returns>
    public static string? FindNearest(string typed, IEnumerable<string> known)
    {
        var nearest = known.Select(word => (Word: word, Distance: CountChanges(typed, word)))
            .MinBy(candidate => candidate.Distance);
        return nearest.Distance <= MaxDistance ? nearest.Word : null;
    }

    /// <summary>Counts the letters to change, add or leave out, whatever their case (Levenshtein).</summary>
    private static int CountChanges(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0]++;
            for (var j = 1; j <= to.Length; j++)
            {
                var isSame = char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]);
                var changed = diagonal + (isSame ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(changed, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
