using Fpn.Detection.Geometry;

namespace Fpn.Detection.Tests.Suppression;

/// <summary>The quadratic definition of batched suppression, step by step as torchvision writes it.</summary>
internal static class ReferenceSuppression
{
    public static int[] Select(
        Box[] boxes, float[] scores, int[] groups, double threshold, int maxShiftedBoxes, int most)
    {
        if (boxes.Length == 0)
        {
            return [];
        }

        int[] all = [.. Enumerable.Range(0, boxes.Length)];
        var kept = boxes.Length <= maxShiftedBoxes
            ? Suppress(Shifted(boxes, groups), scores, all, threshold)
            : [.. groups.Distinct().SelectMany(group =>
                Suppress(boxes, scores, [.. all.Where(i => groups[i] == group)], threshold))];
        return [.. kept.Order().OrderByDescending(i => scores[i]).Take(most)];
    }

    private static Box[] Shifted(Box[] boxes, int[] groups)
    {
        var max = boxes.Max(box => Math.Max(Math.Max(box.X1, box.Y1), Math.Max(box.X2, box.Y2)));
        return [.. boxes.Select((box, i) =>
        {
            var shift = groups[i] * (max + 1);
            return new Box(box.X1 + shift, box.Y1 + shift, box.X2 + shift, box.Y2 + shift);
        })];
    }

    private static int[] Suppress(Box[] boxes, float[] scores, int[] indices, double threshold)
    {
        int[] order = [.. indices.OrderByDescending(i => scores[i])];
        var removed = new bool[boxes.Length];
        List<int> kept = [];
        for (var i = 0; i < order.Length; i++)
        {
            if (removed[order[i]])
            {
                continue;
            }

            kept.Add(order[i]);
            for (var j = i + 1; j < order.Length; j++)
            {
                double iou = BoxOperations.IntersectionOverUnion(boxes[order[i]], boxes[order[j]]);
                removed[order[j]] |= iou > threshold;
            }
        }

        return [.. kept];
    }
}
