using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Tests.Suppression;

namespace Fpn.Detection.Tests.RoiHeads;

/// <summary>The box head's outputs of a batch, and which rows belong to the image.</summary>
internal sealed record HeadOutputs(float[] ClassLogits, float[] BoxDeltas, Box[] Proposals, int[] Rows);

/// <summary>Detections as the references write them: every class of every RoI decoded, everything sorted.</summary>
internal static class ReferenceDetections
{
    public static DetectedBox[] Select(HeadOutputs head, RoiHeadsOptions options, ImageSize resized, ImageSize original)
    {
        var firstColumn = options.Background == BackgroundPosition.First ? 1 : 0;
        DetectedBox[] candidates = [.. head.Proposals
            .SelectMany((_, proposal) => Row(head, options, proposal, firstColumn))
            .Where(candidate => candidate.Score > options.ScoreThreshold)
            .Select(candidate => candidate with { Box = BoxOperations.Clip(candidate.Box, resized) })
            .Where(candidate => candidate.Box.Width >= options.MinBoxSize && candidate.Box.Height >= options.MinBoxSize)
            .OrderBy(candidate => candidate.Label)];
        var kept = ReferenceSuppression.Select(
            [.. candidates.Select(candidate => candidate.Box)],
            [.. candidates.Select(candidate => candidate.Score)],
            [.. candidates.Select(candidate => candidate.Label + firstColumn)],
            options.NmsThreshold,
            options.MaxShiftedBoxes,
            options.DetectionsPerImage);
        return [.. kept
            .Select(i => candidates[i] with { Box = BoxOperations.ToOriginal(candidates[i].Box, resized, original) })
            .Where(detection => !options.DropEmpty || (detection.Box.Width > 0 && detection.Box.Height > 0))];
    }

    private static IEnumerable<DetectedBox> Row(
        HeadOutputs head, RoiHeadsOptions options, int proposal, int firstColumn)
    {
        var columns = options.Classes + 1;
        var boxesPerRow = options.BoxDeltas switch
        {
            BoxDeltasLayout.PerClassWithBackground => columns,
            BoxDeltasLayout.PerClass => options.Classes,
            _ => 1,
        };
        BoxCoder coder = new(options.BoxWeights);
        var row = head.Rows[proposal];
        Box[] boxes = [.. Enumerable.Range(row * boxesPerRow, boxesPerRow).Select(i => coder.Decode(
            new BoxDeltas(
                head.BoxDeltas[4 * i], head.BoxDeltas[4 * i + 1], head.BoxDeltas[4 * i + 2], head.BoxDeltas[4 * i + 3]),
            head.Proposals[proposal]))];
        if (options.DropNonFinite && boxes.Any(box => !BoxOperations.IsFinite(box)))
        {
            yield break;
        }

        // The scores' last bits decide ties, so the reference uses the product's own exponential; SoftmaxTests checks
        // that.
        var padding = Softmax.Lanes - 1 - (columns + Softmax.Lanes - 1) % Softmax.Lanes;
        float[] scores = [
            .. head.ClassLogits.AsSpan(row * columns, columns),
            .. Enumerable.Repeat(float.NegativeInfinity, padding)];
        Softmax.ApplyScalar(scores);
        for (var label = 0; label < options.Classes; label++)
        {
            var box = boxesPerRow == 1 ? 0 : boxesPerRow == columns ? label + firstColumn : label;
            yield return new DetectedBox(boxes[box], scores[label + firstColumn], label, proposal);
        }
    }
}
