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
    /// <param name="scores">[C] the score of each class.</param>
    /// <param name="top">How many are listed at most.</param>
    /// <returns>Best first, equal ones by smaller label.</returns>
    public static LabelScore[] Best(ReadOnlySpan<float> scores, int top)
    {
        var best = new LabelScore[Math.Min(top, scores.Length)];
        var count = 0;
        for (var label = 0; label < scores.Length; label++)
        {
            var place = count;
            while (place > 0 && scores[label] > best[place - 1].Score)
            {
                place--;
            }

            if (place < best.Length)
            {
                count = Math.Min(count + 1, best.Length);
                best.AsSpan(place, count - place - 1).CopyTo(best.AsSpan(place + 1));
                best[place] = new LabelScore(label, scores[label]);
            }
        }

        return best;
    }
}
