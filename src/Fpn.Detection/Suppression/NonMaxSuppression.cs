using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Suppression;

/// <summary>Suppresses overlapping boxes inside groups (levels or classes), greedily and best score first.</summary>
/// <remarks>
/// A workspace: reused from image to image without allocating once it has grown, and not thread-safe.
/// A candidate is compared only with kept boxes of its group, and work stops when enough are kept, so what cannot be
/// kept costs nothing; the result equals the quadratic definition.
/// Source: <c>batched_nms</c> in torchvision's <c>ops/boxes.py</c> and its CPU kernel <c>nms</c>.
/// </remarks>
public sealed class NonMaxSuppression
{
    private readonly float _iouThreshold;
    private readonly int _maxShiftedBoxes;
    private readonly RankSorter _sorter = new();
    private readonly KeptBoxes _keptBoxes = new();
    private ulong[] _keys = [];
    private int[] _starts = [];
    private int[] _counts = [];
    private float[] _shifts = [];
    private bool _apart;

    /// <summary>Makes a workspace.</summary>
    /// <param name="iouThreshold">0 to 1. A box is removed when its IoU with a kept one is greater; equal is not
    /// enough.</param>
    /// <param name="maxShiftedBoxes">0 or more. Groups are shifted apart in float32 for up to this many boxes.</param>
    /// <exception cref="ArgumentOutOfRangeException">The threshold is not in [0, 1], or the number is
    /// negative.</exception>
    public NonMaxSuppression(double iouThreshold, int maxShiftedBoxes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(maxShiftedBoxes);
        if (!(iouThreshold >= 0 && iouThreshold <= 1))
        {
            throw new ArgumentOutOfRangeException(
                nameof(iouThreshold), iouThreshold, "The IoU threshold must be in [0, 1].");
        }

        // The reference compares a float IoU with a double: the largest float not above the double decides the same
        // way.
        var threshold = (float)iouThreshold;
        _iouThreshold = threshold > iouThreshold ? MathF.BitDecrement(threshold) : threshold;
        _maxShiftedBoxes = maxShiftedBoxes;
    }

    /// <summary>Chooses the boxes to keep.</summary>
    /// <param name="boxes">[N] finite, xyxy, with sides that are not negative.</param>
    /// <param name="scores">[N] the order in which boxes are taken, highest first, equal ones by index; NaN must not
    /// occur.</param>
    /// <param name="groups">[N] 0 or more, and not much more than the number of groups; boxes only remove boxes of
    /// their own group.</param>
    /// <param name="kept">Receives the indices of the kept boxes, best first; its length is the most that are
    /// kept.</param>
    /// <returns>How many are kept.</returns>
    /// <exception cref="ArgumentException">The first three lengths differ, or a group is negative.</exception>
    /// <remarks>
    /// While N is small enough, boxes are first shifted by <c>group · (largest coordinate + 1)</c> in float32, as the
    /// reference does; near the threshold that rounding can decide. IoU = intersection / (area + area − intersection)
    /// in float32; the NaN of two boxes without area keeps both. N = 0 gives 0.
    /// </remarks>
    public int Select(ReadOnlySpan<Box> boxes, ReadOnlySpan<float> scores, ReadOnlySpan<int> groups, Span<int> kept)
    {
        if (boxes.Length != scores.Length || boxes.Length != groups.Length)
        {
            throw new ArgumentException(
                $"The lengths differ: {boxes.Length} boxes, {scores.Length} scores and {groups.Length} groups.");
        }

        if (boxes.IsEmpty || kept.IsEmpty)
        {
            return 0;
        }

        var groupCount = LayOut(groups);
        Shift(boxes, groupCount);
        var keys = Order(scores);

        var keptCount = 0;
        foreach (var key in keys)
        {
            var index = RankKey.Position(key);
            var group = groups[index];
            var box = Shifted(boxes[index], _shifts[group]);
            var segment = _apart ? group : 0;
            var start = _starts[segment];
            if (_keptBoxes.AnyOverlaps(box, start, _counts[segment], _iouThreshold))
            {
                continue;
            }

            _keptBoxes.Set(start + _counts[segment]++, box);
            kept[keptCount++] = index;
            if (keptCount == kept.Length)
            {
                break;
            }
        }

        return keptCount;
    }

    /// <summary>Finds the kept box that removed each of the others, which <see cref="Select"/> does not
    /// record.</summary>
    /// <param name="boxes">[N] the boxes of the last call of <see cref="Select"/>.</param>
    /// <param name="scores">[N] its scores.</param>
    /// <param name="groups">[N] its groups.</param>
    /// <param name="kept">Its result, best first.</param>
    /// <param name="removers">[N] receives for each box the place in <paramref name="kept"/> of the best one that
    /// removes it, or −1: the box was kept, or only the limit excluded it.</param>
    /// <param name="overlaps">[N] receives the IoU that decided, or 0.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <remarks>Compares as <see cref="Select"/> does, shift included: N boxes with all kept before them.</remarks>
    public void FindRemovers(
        ReadOnlySpan<Box> boxes,
        ReadOnlySpan<float> scores,
        ReadOnlySpan<int> groups,
        ReadOnlySpan<int> kept,
        Span<int> removers,
        Span<float> overlaps)
    {
        if (boxes.Length != scores.Length || boxes.Length != groups.Length
            || boxes.Length != removers.Length || boxes.Length != overlaps.Length)
        {
            throw new ArgumentException(
                $"The lengths differ: {boxes.Length} boxes, {scores.Length} scores, {groups.Length} groups, "
                + $"{removers.Length} removers and {overlaps.Length} overlaps.");
        }

        removers.Fill(-1);
        overlaps.Clear();
        for (var i = 0; i < boxes.Length; i++)
        {
            var rank = RankKey.Create(scores[i], i);
            var box = kept.IsEmpty ? default : Shifted(boxes[i], _shifts[groups[i]]);
            for (var place = 0; place < kept.Length; place++)
            {
                var other = kept[place];
                if (RankKey.Create(scores[other], other) >= rank)
                {
                    break;
                }

                if (_apart && groups[other] != groups[i])
                {
                    continue;
                }

                var overlap = BoxOperations.IntersectionOverUnion(box, Shifted(boxes[other], _shifts[groups[other]]));
                if (overlap > _iouThreshold)
                {
                    removers[i] = place;
                    overlaps[i] = overlap;
                    break;
                }
            }
        }
    }

    private static Box Shifted(in Box box, float shift) =>
        new(box.X1 + shift, box.Y1 + shift, box.X2 + shift, box.Y2 + shift);

    private Span<ulong> Order(ReadOnlySpan<float> scores)
    {
        WorkArray.Grow(ref _keys, scores.Length);
        var keys = _keys.AsSpan(0, scores.Length);
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = RankKey.Create(scores[i], i);
        }

        _sorter.Sort(keys);
        return keys;
    }

    /// <summary>Gives each group a segment of the kept boxes as long as the group.</summary>
    private int LayOut(ReadOnlySpan<int> groups)
    {
        var last = 0;
        foreach (var group in groups)
        {
            if (group < 0)
            {
                throw new ArgumentException("Groups must not be negative.", nameof(groups));
            }

            last = Math.Max(last, group);
        }

        var groupCount = last + 1;
        WorkArray.Grow(ref _counts, groupCount);
        WorkArray.Grow(ref _starts, groupCount);
        WorkArray.Grow(ref _shifts, groupCount);
        var counts = _counts.AsSpan(0, groupCount);
        counts.Clear();
        foreach (var group in groups)
        {
            counts[group]++;
        }

        var next = 0;
        for (var group = 0; group < groupCount; group++)
        {
            _starts[group] = next;
            next += counts[group];
        }

        counts.Clear();
        _keptBoxes.Reserve(groups.Length);
        return groupCount;
    }

    /// <summary>Computes the groups' shifts and whether they keep all groups apart.</summary>
    /// <remarks>Far from the origin float32 is coarse, and the reference's shifted groups can touch or overlap each
    /// other. Then all boxes are compared with all, as in the reference.</remarks>
    private void Shift(ReadOnlySpan<Box> boxes, int groupCount)
    {
        _apart = true;
        var shifts = _shifts.AsSpan(0, groupCount);
        if (boxes.Length > _maxShiftedBoxes)
        {
            shifts.Clear();
            return;
        }

        var max = float.NegativeInfinity;
        var min = float.PositiveInfinity;
        foreach (ref readonly var box in boxes)
        {
            max = MathF.Max(max, MathF.Max(MathF.Max(box.X1, box.Y1), MathF.Max(box.X2, box.Y2)));
            min = MathF.Min(min, MathF.Min(MathF.Min(box.X1, box.Y1), MathF.Min(box.X2, box.Y2)));
        }

        var step = max + 1;
        for (var group = 0; group < groupCount; group++)
        {
            shifts[group] = group * step;
            _apart &= group == 0 || shifts[group - 1] + max <= shifts[group] + min;
        }
    }
}
