using System.Globalization;
using Fpn.Detection.Boxes;

namespace Fpn.Service.Tests.Golden;

/// <summary>A proposal and the level that it is pooled from.</summary>
internal readonly record struct PooledProposal(Box Box, float Score, int Level);

/// <summary>Compares two lists of proposals as sets: another runtime's last bits may change their order.</summary>
internal static class ProposalMatcher
{
    /// <summary>Fails where a proposal has no partner with its box, score and level, naming those that have none.</summary>
    public static void AssertMatches(
        IReadOnlyList<PooledProposal> reference, IReadOnlyList<PooledProposal> actual, GoldenTolerance tolerance)
    {
        var free = actual.ToList();
        List<PooledProposal> missing = [];
        foreach (var expected in reference)
        {
            var partner = free.FindIndex(candidate => IsNear(expected, candidate, tolerance));
            if (partner < 0)
            {
                missing.Add(expected);
            }
            else
            {
                free.RemoveAt(partner);
            }
        }

        Assert.True(
            missing.Count == 0 && free.Count == 0,
            string.Create(CultureInfo.InvariantCulture, $"{reference.Count} reference proposals, {actual.Count} actual; missing {missing.Count}:\n{string.Join('\n', missing.Take(10))}\nextra {free.Count}:\n{string.Join('\n', free.Take(10))}"));
    }

    private static bool IsNear(in PooledProposal expected, in PooledProposal actual, GoldenTolerance tolerance) =>
        expected.Level == actual.Level
        && MathF.Abs(expected.Score - actual.Score) <= tolerance.ProposalScore
        && BoxMath.Distance(expected.Box, actual.Box) <= tolerance.ProposalBox;
}
