using Fpn.Detection.Geometry;
using Fpn.Detection.Suppression;

namespace Fpn.Detection.Views;

/// <summary>Makes one list of the boxes that several views found.</summary>
/// <remarks>Equal scores: the box that comes first in the input. Immutable and thread-safe; allocates its work space.
/// Source of the default: <c>_merge_detections</c> in detectron2's
/// <c>modeling/test_time_augmentation.py</c>.</remarks>
public sealed class ViewMerger
{
    private readonly MergeMethod _method;
    private readonly float _threshold;
    private readonly double _nmsThreshold;
    private readonly int _maxShiftedBoxes;

    /// <summary>Creates a merger.</summary>
    /// <param name="options">The method and its threshold.</param>
    /// <param name="nmsThreshold">The model's own NMS threshold, 0 to 1: used where the options give none, and before
    /// voting.</param>
    /// <param name="maxShiftedBoxes">Suppression shifts classes apart in float32 for up to this many boxes.</param>
    /// <exception cref="ArgumentOutOfRangeException">A threshold is not in [0, 1], or the method is
    /// unknown.</exception>
    public ViewMerger(ViewOptions options, double nmsThreshold, int maxShiftedBoxes)
    {
        ArgumentNullException.ThrowIfNull(options);
        var threshold = options.MergeThresholdOr(nmsThreshold);
        if (!(threshold >= 0 && threshold <= 1) || !(nmsThreshold >= 0 && nmsThreshold <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(options), threshold, "The thresholds must be in [0, 1].");
        }

        if (!Enum.IsDefined(options.Merge))
        {
            throw new ArgumentOutOfRangeException(nameof(options), options.Merge, "Unknown method.");
        }

        _method = options.Merge;
        _threshold = (float)threshold;
        _nmsThreshold = _method == MergeMethod.Nms ? threshold : nmsThreshold;
        _maxShiftedBoxes = maxShiftedBoxes;
    }

    /// <summary>Merges boxes.</summary>
    /// <param name="boxes">[N] boxes of all views.</param>
    /// <param name="most">The most boxes that are kept, at least 1.</param>
    public MergedBoxes Merge(ReadOnlySpan<ViewBox> boxes, int most)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        return _method == MergeMethod.Ios ? MergeByIos(boxes, most) : MergeByIou(boxes, most);
    }

    private MergedBoxes MergeByIou(ReadOnlySpan<ViewBox> found, int most)
    {
        var boxes = new Box[found.Length];
        var scores = new float[found.Length];
        var labels = new int[found.Length];
        for (var i = 0; i < found.Length; i++)
        {
            (boxes[i], scores[i], labels[i]) = (found[i].Box, found[i].Score, found[i].Label);
        }

        var suppression = new NonMaxSuppression(_nmsThreshold, _maxShiftedBoxes);
        var kept = new int[Math.Min(most, found.Length)];
        kept = kept[..suppression.Select(boxes, scores, labels, kept)];
        var removers = new int[found.Length];
        suppression.FindRemovers(boxes, scores, labels, kept, removers, new float[found.Length]);
        var merged = new Box[kept.Length];
        for (var place = 0; place < kept.Length; place++)
        {
            merged[place] = _method == MergeMethod.Voting ? Vote(found, kept[place]) : boxes[kept[place]];
        }

        return new MergedBoxes(kept, merged, removers);
    }

    /// <summary>Averages the boxes of a class that overlap one of them, itself included, weighted by score.</summary>
    private Box Vote(ReadOnlySpan<ViewBox> found, int elected)
    {
        var candidate = found[elected];
        double x1 = 0, y1 = 0, x2 = 0, y2 = 0, weights = 0;
        foreach (ref readonly var voter in found)
        {
            if (voter.Label == candidate.Label
                && BoxOperations.IntersectionOverUnion(voter.Box, candidate.Box) >= _threshold)
            {
                x1 += (double)voter.Score * voter.Box.X1;
                y1 += (double)voter.Score * voter.Box.Y1;
                x2 += (double)voter.Score * voter.Box.X2;
                y2 += (double)voter.Score * voter.Box.Y2;
                weights += voter.Score;
            }
        }

        // A box without area overlaps nothing, not even itself.
        return weights > 0
            ? new Box((float)(x1 / weights), (float)(y1 / weights), (float)(x2 / weights), (float)(y2 / weights))
            : candidate.Box;
    }

    private MergedBoxes MergeByIos(ReadOnlySpan<ViewBox> found, int most)
    {
        var order = new int[found.Length];
        var keys = new ulong[found.Length];
        for (var i = 0; i < order.Length; i++)
        {
            (order[i], keys[i]) = (i, RankKey.Create(found[i].Score, i));
        }

        Array.Sort(keys, order);
        var removers = new int[found.Length];
        Array.Fill(removers, -1);
        List<int> kept = [];
        List<Box> merged = [];
        foreach (var index in order)
        {
            ref readonly var box = ref found[index];
            var remover = -1;
            for (var place = 0; place < kept.Count && remover < 0; place++)
            {
                ref readonly var better = ref found[kept[place]];
                var isRemoved = better.Label == box.Label
                    && BoxOperations.IntersectionOverSmaller(better.Box, box.Box) > _threshold;
                remover = isRemoved ? place : -1;
            }

            removers[index] = remover;
            if (remover >= 0)
            {
                if (found[kept[remover]].IsCut)
                {
                    merged[remover] = BoxOperations.Enclose(merged[remover], box.Box);
                }
            }
            else if (kept.Count < most)
            {
                kept.Add(index);
                merged.Add(box.Box);
            }
        }

        return new MergedBoxes([.. kept], [.. merged], removers);
    }
}
