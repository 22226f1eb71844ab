using System.Runtime.InteropServices;
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
    /// <param name="findRemovers">Whether the result names the remover of each box, which costs as much again.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    /// <remarks>Every box is compared with those of its class that are kept.</remarks>
    public MergedBoxes Merge(
        ReadOnlySpan<ViewBox> boxes,
        int most,
        bool findRemovers = true,
        CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        cancellationToken.ThrowIfCancellationRequested();
        return _method == MergeMethod.Ios
            ? MergeByIos(boxes, most, cancellationToken)
            : MergeByIou(boxes, most, findRemovers, cancellationToken);
    }

    private MergedBoxes MergeByIou(
        ReadOnlySpan<ViewBox> found, int most, bool findRemovers, CancellationToken cancellationToken)
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
        int[] removers = [];
        if (findRemovers)
        {
            cancellationToken.ThrowIfCancellationRequested();
            removers = new int[found.Length];
            suppression.FindRemovers(boxes, scores, labels, kept, removers, new float[found.Length]);
        }

        var merged = Array.ConvertAll(kept, index => boxes[index]);
        if (_method == MergeMethod.Voting)
        {
            Vote(found, kept, merged, cancellationToken);
        }

        return new MergedBoxes(kept, merged, removers);
    }

    /// <summary>Makes each kept box the mean of its voters.</summary>
    private void Vote(ReadOnlySpan<ViewBox> found, int[] kept, Box[] merged, CancellationToken cancellationToken)
    {
        var classes = new Dictionary<int, List<ViewBox>>();
        foreach (ref readonly var box in found)
        {
            ListOf(classes, box.Label).Add(box);
        }

        for (var place = 0; place < kept.Length; place++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ref readonly var elected = ref found[kept[place]];
            merged[place] = Average(CollectionsMarshal.AsSpan(classes[elected.Label]), elected.Box);
        }
    }

    /// <summary>Averages the boxes that overlap one of them, itself included, weighted by score.</summary>
    /// <param name="voters">All boxes of its class, in the order of the input.</param>
    /// <param name="elected">The box.</param>
    private Box Average(ReadOnlySpan<ViewBox> voters, in Box elected)
    {
        double x1 = 0, y1 = 0, x2 = 0, y2 = 0, weights = 0;
        foreach (ref readonly var voter in voters)
        {
            if (BoxOperations.IntersectionOverUnion(voter.Box, elected) >= _threshold)
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
            : elected;
    }

    private MergedBoxes MergeByIos(ReadOnlySpan<ViewBox> found, int most, CancellationToken cancellationToken)
    {
        var order = new int[found.Length];
        var keys = new ulong[found.Length];
        for (var i = 0; i < order.Length; i++)
        {
            (order[i], keys[i]) = (i, RankKey.Create(found[i].Score, i));
        }

        Array.Sort(keys, order);
        var removers = new int[found.Length];
        List<int> kept = [];
        List<Box> merged = [];
        var classes = new Dictionary<int, List<(Box Box, int Place)>>();
        foreach (var index in order)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ref readonly var box = ref found[index];
            var better = ListOf(classes, box.Label);
            var remover = FindByIos(CollectionsMarshal.AsSpan(better), box.Box);
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
                better.Add((box.Box, kept.Count));
                kept.Add(index);
                merged.Add(box.Box);
            }
        }

        return new MergedBoxes([.. kept], [.. merged], removers);
    }

    /// <summary>The place of the first box that removes another, or −1.</summary>
    private int FindByIos(ReadOnlySpan<(Box Box, int Place)> kept, in Box box)
    {
        foreach (ref readonly var better in kept)
        {
            if (BoxOperations.IntersectionOverSmaller(better.Box, box) > _threshold)
            {
                return better.Place;
            }
        }

        return -1;
    }

    private static List<T> ListOf<T>(Dictionary<int, List<T>> classes, int label) =>
        CollectionsMarshal.GetValueRefOrAddDefault(classes, label, out _) ??= [];
}
