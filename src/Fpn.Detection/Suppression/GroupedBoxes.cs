using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Suppression;

/// <summary>Boxes stored group by group, so that a candidate is compared with those of one group only.</summary>
/// <remarks>Each box has a slot, 0 to N − 1; those of a group follow each other in the order in which they were stored.
/// A workspace: allocates nothing once it has grown, and is not thread-safe.</remarks>
internal sealed class GroupedBoxes
{
    private readonly StoredBoxes _boxes = new();
    private int[] _starts = [];
    private int[] _counts = [];

    /// <summary>Forgets the boxes and gives each group as many slots as it can need.</summary>
    /// <param name="groups">[N] the group of each box that may be stored: 0 or more.</param>
    /// <returns>One more than the largest group.</returns>
    /// <exception cref="ArgumentException">A group is negative.</exception>
    public int Reserve(ReadOnlySpan<int> groups)
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
        _boxes.Reserve(groups.Length);
        return groupCount;
    }

    /// <summary>Stores a box.</summary>
    /// <param name="group">Its group; group 0 may hold the boxes of all groups if the others stay empty.</param>
    /// <param name="box">Finite.</param>
    /// <returns>Its slot.</returns>
    public int Add(int group, in Box box)
    {
        var slot = _starts[group] + _counts[group]++;
        _boxes.Set(slot, box);
        return slot;
    }

    /// <summary>Finds the first stored box of a group that overlaps a candidate by more than a threshold.</summary>
    /// <param name="group">The group.</param>
    /// <param name="candidate">Finite.</param>
    /// <param name="threshold">The overlap must be greater; equal, and NaN, are not.</param>
    /// <returns>Its slot, or −1.</returns>
    public int FirstOverlap<TMeasure>(int group, in Box candidate, float threshold)
        where TMeasure : struct, IOverlapMeasure =>
        _boxes.FirstOverlap<TMeasure>(candidate, _starts[group], _counts[group], threshold);

    /// <summary>Finds the next one after a slot that <see cref="FirstOverlap"/> or this returned.</summary>
    /// <inheritdoc cref="FirstOverlap"/>
    public int NextOverlap<TMeasure>(int group, in Box candidate, float threshold, int slot)
        where TMeasure : struct, IOverlapMeasure =>
        _boxes.FirstOverlap<TMeasure>(
            candidate, slot + 1, _starts[group] + _counts[group] - slot - 1, threshold);
}
