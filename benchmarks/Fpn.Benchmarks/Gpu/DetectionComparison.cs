using Fpn.Detection.Geometry;
using Fpn.Models.Detectors;

namespace Fpn.Benchmarks.Gpu;

/// <summary>How far the answers of one way of computing are from another's, over many images.</summary>
/// <remarks>
/// Going down the reference's scores, a detection is matched with the one of the same label not yet taken that overlaps
/// it most, by at least one half. What finds no partner is counted with its score: near a threshold, or where two boxes
/// are all but equally good, a rounding may decide.
/// </remarks>
internal sealed class DetectionComparison
{
    private const float LeastOverlap = 0.5f;
    private const float SureScore = 0.5f;

    /// <summary>Pairs that were matched.</summary>
    public int Matched { get; private set; }

    /// <summary>Detections of either side without a partner.</summary>
    public int Unmatched { get; private set; }

    /// <summary>The highest score among those; 0 where there are none.</summary>
    public double LargestUnmatchedScore { get; private set; }

    /// <summary>The largest difference of a coordinate between partners, in pixels of the original image.</summary>
    public double LargestBoxDifference { get; private set; }

    /// <summary>The same over partners that the reference gives a score of at least one half.</summary>
    public double LargestSureBoxDifference { get; private set; }

    /// <summary>The largest difference of scores between partners.</summary>
    public double LargestScoreDifference { get; private set; }

    /// <summary>Compares the answers to one image.</summary>
    /// <param name="reference">Best first.</param>
    /// <param name="actual">In any order.</param>
    public void Add(IReadOnlyList<DetectedObject> reference, IReadOnlyList<DetectedObject> actual)
    {
        var free = actual.ToList();
        foreach (var expected in reference)
        {
            var candidates = free.FindAll(
                found => found.Label == expected.Label && Overlap(found, expected) >= LeastOverlap);
            if (candidates.Count == 0)
            {
                AddUnmatched(expected);
                continue;
            }

            var partner = candidates.MaxBy(found => Overlap(found, expected));
            free.Remove(partner);
            Matched++;
            LargestScoreDifference = Math.Max(LargestScoreDifference, Math.Abs(partner.Score - expected.Score));
            var distance = Distance(partner.Box, expected.Box);
            LargestBoxDifference = Math.Max(LargestBoxDifference, distance);
            if (expected.Score >= SureScore)
            {
                LargestSureBoxDifference = Math.Max(LargestSureBoxDifference, distance);
            }
        }

        free.ForEach(AddUnmatched);
    }

    private static float Overlap(DetectedObject a, DetectedObject b) =>
        BoxOperations.IntersectionOverUnion(a.Box, b.Box);

    private static double Distance(Box a, Box b) => Math.Max(
        Math.Max(Math.Abs(a.X1 - b.X1), Math.Abs(a.Y1 - b.Y1)),
        Math.Max(Math.Abs(a.X2 - b.X2), Math.Abs(a.Y2 - b.Y2)));

    private void AddUnmatched(DetectedObject detection)
    {
        Unmatched++;
        LargestUnmatchedScore = Math.Max(LargestUnmatchedScore, detection.Score);
    }
}
