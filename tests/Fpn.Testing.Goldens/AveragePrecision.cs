namespace Fpn.Testing.Goldens;

/// <summary>A detection of one class, for scoring.</summary>
/// <param name="Image">Index of its image.</param>
/// <param name="Score">Higher is surer.</param>
/// <param name="Box">x1, y1, x2, y2.</param>
internal sealed record ScoredBox(int Image, double Score, double[] Box);

/// <summary>COCO's average precision of one class: 101-point interpolation, each truth found once.</summary>
/// <remarks>
/// The same rule as tests/Golden/ap.py: going down the scores (equal ones in the order given), a detection is right
/// when
/// the truth that it overlaps most among those of its image not yet found overlaps it at least by the threshold.
/// Precision is made non-increasing from the right and read at recalls 0, 0.01, … 1.
/// </remarks>
internal static class AveragePrecision
{
    /// <summary>COCO's thresholds: 0.50, 0.55, … 0.95.</summary>
    public static IReadOnlyList<double> Thresholds { get; } =
        [.. Enumerable.Range(0, 10).Select(step => (50 + 5 * step) / 100.0)];

    /// <summary>The average precision at one threshold, 0 to 1; 0 where there is no truth or no detection.</summary>
    /// <param name="detections">Of all images, in any order.</param>
    /// <param name="truths">Boxes of each image.</param>
    /// <param name="iouThreshold">Overlap from which a detection counts as right.</param>
    /// <param name="ignored">Boxes of each image that need not be found: a detection that is not right and overlaps
    /// one of
    /// them by the threshold is left out. Null for none.</param>
    public static double At(
        IReadOnlyList<ScoredBox> detections,
        IReadOnlyList<double[][]> truths,
        double iouThreshold,
        IReadOnlyList<double[][]>? ignored = null)
    {
        var found = truths.Select(boxes => new bool[boxes.Length]).ToArray();
        var total = truths.Sum(boxes => boxes.Length);
        List<double> recalls = [];
        List<double> precisions = [];
        var right = 0;
        foreach (var detection in detections.OrderByDescending(d => d.Score))
        {
            var best = Nearest(detection.Box, truths[detection.Image], found[detection.Image]);
            if (best is (var index, var overlap) && overlap >= iouThreshold)
            {
                found[detection.Image][index] = true;
                right++;
            }
            else if (ignored?[detection.Image].Any(
                box => IntersectionOverUnion(detection.Box, box) >= iouThreshold) == true)
            {
                continue;
            }

            recalls.Add(total == 0 ? 0 : (double)right / total);
            precisions.Add((double)right / (precisions.Count + 1));
        }

        for (var i = precisions.Count - 2; i >= 0; i--)
        {
            precisions[i] = Math.Max(precisions[i], precisions[i + 1]);
        }

        var sum = 0.0;
        var at = 0;
        for (var point = 0; point <= 100; point++)
        {
            while (at < recalls.Count && recalls[at] < point * 0.01)
            {
                at++;
            }

            sum += at < precisions.Count ? precisions[at] : 0;
        }

        return sum / 101;
    }

    /// <summary>Intersection over union; 0 where both are empty.</summary>
    public static double IntersectionOverUnion(double[] a, double[] b)
    {
        var shared = Math.Max(0, Math.Min(a[2], b[2]) - Math.Max(a[0], b[0])) * Math.Max(
            0, Math.Min(a[3], b[3]) - Math.Max(a[1], b[1]));
        var union = Area(a) + Area(b) - shared;
        return union > 0 ? shared / union : 0;

        static double Area(double[] box) => (box[2] - box[0]) * (box[3] - box[1]);
    }

    private static (int Index, double Overlap)? Nearest(double[] box, double[][] truths, bool[] found)
    {
        (int Index, double Overlap)? best = null;
        for (var i = 0; i < truths.Length; i++)
        {
            var overlap = found[i] ? -1 : IntersectionOverUnion(box, truths[i]);
            if (best is not var (_, most) || overlap > most)
            {
                best = (i, overlap);
            }
        }

        return best;
    }
}
