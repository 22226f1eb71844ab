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
    /// <param name="findRemovers">Whether the result says which box removed each of the others.</param>
    /// <param name="cancellationToken">Gives up between two boxes.</param>
    /// <exception cref="ArgumentException">A label is negative.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <remarks>Each box is compared with the kept ones of its class, and for voting each kept one with all of its
    /// class.</remarks>
    public MergedBoxes Merge(
        ReadOnlySpan<ViewBox> boxes, int most, bool findRemovers, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        var labels = new int[boxes.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            labels[i] = boxes[i].Label;
        }

        return _method == MergeMethod.Ios
            ? MergeByIos(boxes, labels, most, findRemovers, cancellationToken)
            : MergeByIou(boxes, labels, most, findRemovers, cancellationToken);
    }

    private MergedBoxes MergeByIou(
        ReadOnlySpan<ViewBox> found,
        ReadOnlySpan<int> labels,
        int most,
        bool findRemovers,
        CancellationToken cancellationToken)
    {
        var boxes = new Box[found.Length];
        var scores = new float[found.Length];
        for (var i = 0; i < found.Length; i++)
        {
            (boxes[i], scores[i]) = (found[i].Box, found[i].Score);
        }

        var suppression = new NonMaxSuppression(_nmsThreshold, _maxShiftedBoxes);
        var kept = new int[Math.Min(most, found.Length)];
        kept = kept[..suppression.Select(boxes, scores, labels, kept, cancellationToken)];
        int[]? removers = null;
        if (findRemovers)
        {
            removers = new int[found.Length];
            suppression.FindRemovers(
                boxes, scores, labels, kept, removers, new float[found.Length], cancellationToken);
        }

        var merged = _method == MergeMethod.Voting
            ? Vote(found, labels, kept, cancellationToken)
            : Array.ConvertAll(kept, index => boxes[index]);
        return new MergedBoxes(kept, merged, removers);
    }

    /// <summary>Averages for each kept box those of its class that overlap it, itself included, weighted by
    /// score.</summary>
    private Box[] Vote(
        ReadOnlySpan<ViewBox> found,
        ReadOnlySpan<int> labels,
        ReadOnlySpan<int> kept,
        CancellationToken cancellationToken)
    {
        var voters = new GroupedBoxes();
        voters.Reserve(labels);
        var indices = new int[found.Length];
        for (var i = 0; i < found.Length; i++)
        {
            indices[voters.Add(labels[i], found[i].Box)] = i;
        }

        // An overlap equal to the threshold votes.
        var below = MathF.BitDecrement(_threshold);
        var merged = new Box[kept.Length];
        for (var place = 0; place < merged.Length; place++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ref readonly var elected = ref found[kept[place]];
            var (group, box) = (elected.Label, elected.Box);
            double x1 = 0, y1 = 0, x2 = 0, y2 = 0, weights = 0;
            for (var slot = voters.FirstOverlap<OverUnion>(group, box, below);
                slot >= 0;
                slot = voters.NextOverlap<OverUnion>(group, box, below, slot))
            {
                ref readonly var voter = ref found[indices[slot]];
                x1 += (double)voter.Score * voter.Box.X1;
                y1 += (double)voter.Score * voter.Box.Y1;
                x2 += (double)voter.Score * voter.Box.X2;
                y2 += (double)voter.Score * voter.Box.Y2;
                weights += voter.Score;
            }

            // A box without area overlaps nothing, not even itself.
            merged[place] = weights > 0
                ? new Box((float)(x1 / weights), (float)(y1 / weights), (float)(x2 / weights), (float)(y2 / weights))
                : box;
        }

        return merged;
    }

    private MergedBoxes MergeByIos(
        ReadOnlySpan<ViewBox> found,
        ReadOnlySpan<int> labels,
        int most,
        bool findRemovers,
        CancellationToken cancellationToken)
    {
        var keys = new ulong[found.Length];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = RankKey.Create(found[i].Score, i);
        }

        Array.Sort(keys);
        var removers = findRemovers ? new int[found.Length] : null;
        var better = new GroupedBoxes();
        better.Reserve(labels);
        var places = new int[found.Length];
        List<int> kept = [];
        List<Box> merged = [];
        foreach (var key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var index = RankKey.Position(key);
            ref readonly var box = ref found[index];
            var slot = better.FirstOverlap<OverSmaller>(box.Label, box.Box, _threshold);
            var remover = slot >= 0 ? places[slot] : -1;
            if (removers is not null)
            {
                removers[index] = remover;
            }

            if (remover >= 0)
            {
                if (found[kept[remover]].IsCut)
                {
                    merged[remover] = BoxOperations.Enclose(merged[remover], box.Box);
                }
            }
            else if (kept.Count < most)
            {
                places[better.Add(box.Label, box.Box)] = kept.Count;
                kept.Add(index);
                merged.Add(box.Box);
            }
        }

        return new MergedBoxes([.. kept], [.. merged], removers);
    }
}
