using System.Globalization;

namespace Fpn.Detection.Tests.Goldens;

/// <summary>One entry of a list that is ordered by score.</summary>
/// <typeparam name="TKey">Tells entries apart: an anchor, or a class and a proposal.</typeparam>
internal readonly record struct Ranked<TKey>(TKey Key, float Score)
    where TKey : notnull;

/// <summary>Compares lists that are ordered and cut off by score, where the last bit of a score may differ.</summary>
/// <remarks>
/// Entries whose reference scores differ, but by no more than the slack, may stand in either order, and may come or go
/// at the cut. Entries with one and the same reference score keep their order: that tie is the reference's own.
/// </remarks>
internal static class RankedList
{
    private const float Slack = 1e-6f;

    /// <summary>The differences, one line each; none when the lists agree.</summary>
    /// <param name="reference">Best first.</param>
    /// <param name="actual">Best first.</param>
    /// <param name="limit">Where both lists were cut off.</param>
    public static IReadOnlyList<string> Differences<TKey>(
        IReadOnlyList<Ranked<TKey>> reference, IReadOnlyList<Ranked<TKey>> actual, int limit)
        where TKey : notnull
    {
        List<string> differences = [];
        var cut = reference.Count == limit ? reference[^1].Score : float.NegativeInfinity;
        var ranks = reference.Select((entry, rank) => (entry.Key, rank))
            .ToDictionary(pair => pair.Key, pair => pair.rank);
        var present = actual.Select(entry => entry.Key).ToHashSet();
        differences.AddRange(reference
            .Where(entry => !present.Contains(entry.Key) && !MaySwap(entry.Score, cut))
            .Select(entry => Describe("missing", entry)));
        differences.AddRange(actual
            .Where(entry => !ranks.ContainsKey(entry.Key) && !MaySwap(entry.Score, cut))
            .Select(entry => Describe("extra", entry)));

        var common = actual.Where(entry => ranks.ContainsKey(entry.Key)).Select(entry => ranks[entry.Key]).ToArray();
        for (var i = 0; i < common.Length; i++)
        {
            for (var j = i + 1; j < common.Length; j++)
            {
                if (common[j] < common[i] && !MaySwap(reference[common[i]].Score, reference[common[j]].Score))
                {
                    differences.Add(Describe($"before {reference[common[j]].Key}:", reference[common[i]]));
                }
            }
        }

        return differences;
    }

    private static bool MaySwap(float a, float b) => a != b && MathF.Abs(a - b) <= Slack;

    private static string Describe<TKey>(string what, Ranked<TKey> entry)
        where TKey : notnull =>
            string.Create(CultureInfo.InvariantCulture, $"{what} {entry.Key} with score {entry.Score:R}");
}
