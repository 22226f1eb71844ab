using Fpn.Detection.Geometry;

namespace Fpn.Models.Detectors;

/// <summary>What the second stage makes of one region.</summary>
/// <param name="Scores">The best classes that are not background, best first, equal ones by smaller label.</param>
/// <param name="Background">Softmax score of the background, 0 to 1.</param>
/// <param name="Box">The region as refined for the best of the classes: xyxy in pixels of the original image, clipped
/// to it.</param>
/// <param name="Level">Name of the level that it was pooled from.</param>
internal sealed record ClassifiedRegion(LabelScore[] Scores, float Background, Box Box, string Level);

/// <summary>The score of one class.</summary>
/// <param name="Label">Index into the model's labels.</param>
/// <param name="Score">Softmax score, 0 to 1.</param>
internal readonly record struct LabelScore(int Label, float Score)
{
    /// <summary>Lists the best of all classes.</summary>
    /// <param name="scores">[C] the score of each class; 0 or more.</param>
    /// <param name="top">How many are listed at most; at least 1.</param>
    /// <param name="work">At least 2 · min(top, C) numbers of work space.</param>
    /// <returns>Best first, equal ones by smaller label.</returns>
    /// <remarks>C · log(top) steps: candidates gather until there are twice as many as wanted, and the better half
    /// stays.</remarks>
    public static LabelScore[] Best(ReadOnlySpan<float> scores, int top, Span<ulong> work)
    {
        var most = Math.Min(top, scores.Length);
        var candidates = work[..(2 * most)];
        var count = 0;
        var worst = ulong.MaxValue;
        for (var label = 0; label < scores.Length; label++)
        {
            var key = KeyFor(scores[label], label);
            if (key >= worst)
            {
                continue;
            }

            candidates[count++] = key;
            if (count == candidates.Length)
            {
                candidates.Sort();
                count = most;
                worst = candidates[most - 1];
            }
        }

        candidates[..count].Sort();
        var best = new LabelScore[most];
        for (var place = 0; place < best.Length; place++)
        {
            var label = (int)(uint)candidates[place];
            best[place] = new LabelScore(label, scores[label]);
        }

        return best;
    }

    /// <summary>Makes a number that ascends with falling scores, then with labels. The bits of floats that are not
    /// negative order as the floats do.</summary>
    private static ulong KeyFor(float score, int label) =>
        ((ulong)~BitConverter.SingleToUInt32Bits(score) << 32) | (uint)label;
}
