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
    private readonly GroupedBoxes _kept = new();
    private ulong[] _keys = [];
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
    /// <param name="cancellationToken">Gives up between two boxes.</param>
    /// <returns>How many are kept.</returns>
    /// <exception cref="ArgumentException">The first three lengths differ, or a group is negative.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <remarks>
    /// While N is small enough, boxes are first shifted by <c>group · (largest coordinate + 1)</c> in float32, as the
    /// reference does; near the threshold that rounding can decide. IoU = intersection / (area + area − intersection)
    /// in float32; the NaN of two boxes without area keeps both. N = 0 gives 0.
    /// </remarks>
    public int Select(
        ReadOnlySpan<Box> boxes,
        ReadOnlySpan<float> scores,
        ReadOnlySpan<int> groups,
        Span<int> kept,
        CancellationToken cancellationToken = default)
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

        Shift(boxes, _kept.Reserve(groups));
        var keys = Order(scores);

        var keptCount = 0;
        foreach (var key in keys)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var index = RankKey.Position(key);
            var group = groups[index];
            var box = Shifted(boxes[index], _shifts[group]);
            var segment = Segment(group);
            if (_kept.FirstOverlap<OverUnion>(segment, box, _iouThreshold) >= 0)
            {
                continue;
            }

            _kept.Add(segment, box);
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
    /// <param name="cancellationToken">Gives up between two boxes.</param>
    /// <exception cref="ArgumentException">The lengths differ.</exception>
    /// <exception cref="OperationCanceledException">The call was given up.</exception>
    /// <remarks>Compares as <see cref="Select"/> does, shift included. Allocates.</remarks>
    public void FindRemovers(
        ReadOnlySpan<Box> boxes,
        ReadOnlySpan<float> scores,
        ReadOnlySpan<int> groups,
        ReadOnlySpan<int> kept,
        Span<int> removers,
        Span<float> overlaps,
        CancellationToken cancellationToken = default)
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
        if (kept.IsEmpty)
        {
            return;
        }

        // Stored once more: Select does not remember which slot is whose.
        _kept.Reserve(groups);
        var places = new int[boxes.Length];
        var isKept = new bool[boxes.Length];
        for (var place = 0; place < kept.Length; place++)
        {
            var index = kept[place];
            isKept[index] = true;
            places[_kept.Add(Segment(groups[index]), Shifted(boxes[index], _shifts[groups[index]]))] = place;
        }

        for (var i = 0; i < boxes.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (isKept[i])
            {
                continue;
            }

            // The first is the best of them. It is better than this box, too: either a better one removed this box, or
            // the limit excluded it, and then all that are kept are better.
            var box = Shifted(boxes[i], _shifts[groups[i]]);
            var slot = _kept.FirstOverlap<OverUnion>(Segment(groups[i]), box, _iouThreshold);
            if (slot >= 0)
            {
                removers[i] = places[slot];
                var remover = kept[places[slot]];
                overlaps[i] = BoxOperations.IntersectionOverUnion(
                    box, Shifted(boxes[remover], _shifts[groups[remover]]));
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

    /// <summary>Returns where a group's boxes are stored.</summary>
    private int Segment(int group) => _apart ? group : 0;

    /// <summary>Computes the groups' shifts and whether they keep all groups apart.</summary>
    /// <remarks>Far from the origin float32 is coarse, and the reference's shifted groups can touch or overlap each
    /// other. Then all boxes are compared with all, as in the reference.</remarks>
    private void Shift(ReadOnlySpan<Box> boxes, int groupCount)
    {
        _apart = true;
        WorkArray.Grow(ref _shifts, groupCount);
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
