using System.Globalization;
using System.Text;

namespace Fpn.Testing.Goldens;

/// <summary>
/// Compares detections with a reference's: every reference detection that is sure enough has a partner with its label,
/// box and score, and nothing sure is left over. Partners that name their pooled levels must name the same.
/// </summary>
/// <remarks>
/// Pairs are one to one: going down the reference's scores, each takes the nearest free detection of its label whose
/// box and score are near enough. Reference detections under <see cref="GoldenTolerance.MatchFrom"/> may take one too
/// and need not find any: a score that straddles the bounds is no mismatch.
/// </remarks>
internal static class DetectionMatcher
{
    /// <summary>The mismatches, one line each; none when the detections agree.</summary>
    public static IReadOnlyList<string> Mismatches(
        IReadOnlyList<GoldenDetection> reference, IReadOnlyList<GoldenDetection> actual, GoldenTolerance tolerance)
    {
        List<string> mismatches = [];
        var free = actual.ToList();
        foreach (var expected in reference.OrderByDescending(detection => detection.Score))
        {
            var partner = free
                .Where(candidate => IsNear(expected, candidate, tolerance))
                .MinBy(candidate => BoxDistance(expected, candidate));
            if (partner is not null)
            {
                free.Remove(partner);
                if (expected.Level is not null && partner.Level is not null && expected.Level != partner.Level)
                {
                    mismatches.Add($"level   {partner.Level}, not {expected.Level}: {Describe(expected)}");
                }
            }
            else if (expected.Score >= tolerance.MatchFrom)
            {
                mismatches.Add($"missing {Describe(expected)}; {DescribeNearest(expected, actual)}");
            }
        }

        foreach (var extra in free.Where(detection => detection.Score > tolerance.NothingExtraAbove))
        {
            mismatches.Add($"extra   {Describe(extra)}; {DescribeNearest(extra, reference)}");
        }

        return mismatches;
    }

    /// <summary>Fails with all mismatches at once.</summary>
    public static void AssertMatches(
        string name, IReadOnlyList<GoldenDetection> reference, IReadOnlyList<GoldenDetection> actual,
            GoldenTolerance tolerance)
    {
        var mismatches = Mismatches(reference, actual, tolerance);
        if (mismatches.Count > 0)
        {
            var message = new StringBuilder().AppendLine(
                CultureInfo.InvariantCulture,
                $"{name}: {mismatches.Count} mismatches ({reference.Count} reference detections, {actual.Count} "
                    + $"answered):");
            Assert.Fail(message.AppendJoin('\n', mismatches).ToString());
        }
    }

    private static bool IsNear(GoldenDetection expected, GoldenDetection actual, GoldenTolerance tolerance) =>
        expected.Label == actual.Label
        && Math.Abs(expected.Score - actual.Score) <= tolerance.Score
        && BoxDistance(expected, actual) <= tolerance.Box;

    /// <summary>The largest difference of a coordinate.</summary>
    private static double BoxDistance(GoldenDetection a, GoldenDetection b) =>
        a.Box.Zip(b.Box, (x, y) => Math.Abs(x - y)).Max();

    private static string DescribeNearest(GoldenDetection detection, IReadOnlyList<GoldenDetection> others)
    {
        var nearest = others.MinBy(other => BoxDistance(detection, other));
        return nearest is null
            ? "nothing to compare with"
            : string.Create(CultureInfo.InvariantCulture,
                $"nearest {Describe(nearest)}, {BoxDistance(detection, nearest):F3} px off");
    }

    private static string Describe(GoldenDetection detection)
    {
        var box = string.Join(", ", detection.Box.Select(side => side.ToString("F3", CultureInfo.InvariantCulture)));
        return string.Create(CultureInfo.InvariantCulture, $"{detection.Label} {detection.Score:F5} [{box}]");
    }
}
