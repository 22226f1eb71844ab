using System.Globalization;
using Fpn.Detection.Geometry;
using Fpn.Testing.Goldens;

namespace Fpn.Golden.Tests;

/// <summary>A proposal and the level that it is pooled from.</summary>
internal readonly record struct PooledProposal(Box Box, float Score, int Level);

/// <summary>Compares two lists of proposals as sets: another runtime's last bits may change their order.</summary>
/// <remarks>
/// A proposal without a partner is a mismatch unless the last bits explain it: NMS could as well have decided the other
/// way (an IoU right at its threshold), or it lives or dies with one of which that is true, or it stood at the end of a
/// full list and others came or went before it.
/// </remarks>
internal static class ProposalMatcher
{
    private const double NmsThreshold = 0.7;
    private const double NmsSlack = 1e-4;

    /// <summary>The proposals that lack a partner and an explanation, one line each; none when the sets
    /// agree.</summary>
    /// <param name="reference">Best first.</param>
    /// <param name="actual">Best first.</param>
    /// <param name="limit">Where both lists were cut off.</param>
    /// <param name="tolerance">How near partners must be.</param>
    public static IReadOnlyList<string> Mismatches(
        IReadOnlyList<PooledProposal> reference, IReadOnlyList<PooledProposal> actual, int limit,
            GoldenTolerance tolerance)
    {
        var extra = actual.ToList();
        List<PooledProposal> missing = [];
        foreach (var expected in reference)
        {
            var partner = extra.FindIndex(candidate => IsNear(expected, candidate, tolerance));
            if (partner < 0)
            {
                missing.Add(expected);
            }
            else
            {
                extra.RemoveAt(partner);
            }
        }

        PooledProposal[] all = [.. reference, .. actual];
        var end = Math.Max(EndOf(reference, limit), EndOf(actual, limit)) + tolerance.ProposalScore;
        var flipped = missing.Concat(extra).Where(proposal => all.Any(other => IsUndecided(proposal, other))).ToArray();
        return [.. missing.Where(IsUnexplained).Select(p => $"missing {Describe(p)}"), .. extra.Where(IsUnexplained)
            .Select(p => $"extra {Describe(p)}")];

        bool IsUnexplained(PooledProposal proposal) =>
            proposal.Score > end && !flipped.Any(
                other => other == proposal || Overlap(other, proposal) > NmsThreshold - NmsSlack);
    }

    /// <summary>The score at which a full list ended; none where it was not full.</summary>
    private static double EndOf(IReadOnlyList<PooledProposal> list, int limit) =>
        list.Count == limit ? list[^1].Score : double.NegativeInfinity;

    private static bool IsUndecided(in PooledProposal a, in PooledProposal b) =>
        Math.Abs(Overlap(a, b) - NmsThreshold) <= NmsSlack;

    private static double Overlap(in PooledProposal a, in PooledProposal b) =>
        AveragePrecision.IntersectionOverUnion(Corners(a.Box), Corners(b.Box));

    private static double[] Corners(in Box box) => [box.X1, box.Y1, box.X2, box.Y2];

    private static bool IsNear(in PooledProposal expected, in PooledProposal actual, GoldenTolerance tolerance) =>
        expected.Level == actual.Level
        && MathF.Abs(expected.Score - actual.Score) <= tolerance.ProposalScore
        && BoxMath.Distance(expected.Box, actual.Box) <= tolerance.ProposalBox;

    private static string Describe(in PooledProposal proposal) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{proposal.Box} with score {proposal.Score:R}, pooled level {proposal.Level}");
}
