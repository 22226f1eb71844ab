using Fpn.Detection.Anchors;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Proposals;

/// <summary>The proposals of one image, best first; reused from image to image.</summary>
/// <remarks>The spans refer to the list's own memory: they are valid until the list is filled again. Not
/// thread-safe.</remarks>
public sealed class ProposalList
{
    private Box[] _boxes = [];
    private float[] _scores = [];
    private int[] _levels = [];
    private int[] _anchorIndices = [];
    private AnchorGrid[] _grids = [];
    private AnchorGenerator? _anchors;

    /// <summary>P: number of proposals.</summary>
    public int Count { get; private set; }

    /// <summary>[P] xyxy, resized-image pixels, clipped to the resized image.</summary>
    public ReadOnlySpan<Box> Boxes => _boxes.AsSpan(0, Count);

    /// <summary>[P] sigmoid of the objectness, 0 to 1, never ascending: proposals are ordered by these or by the
    /// logits.</summary>
    public ReadOnlySpan<float> Scores => _scores.AsSpan(0, Count);

    /// <summary>[P] the RPN's level that each proposal came from, 0 for the first.</summary>
    public ReadOnlySpan<int> Levels => _levels.AsSpan(0, Count);

    /// <summary>[P] position of each proposal's anchor in its level: (y · W + x) · A + a.</summary>
    public ReadOnlySpan<int> AnchorIndices => _anchorIndices.AsSpan(0, Count);

    /// <summary>Returns the anchor that a proposal was decoded from.</summary>
    /// <param name="proposal">0 to P − 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such proposal.</exception>
    public ProposalAnchor AnchorFor(int proposal)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(proposal);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(proposal, Count);
        var anchors = _anchors!;
        var level = _levels[proposal];
        var grid = _grids[level];
        (var cell, var anchorInCell) = Math.DivRem(_anchorIndices[proposal], anchors.AnchorsPerCell(level));
        (var y, var x) = Math.DivRem(cell, grid.Width);
        (var size, var ratio) = anchors.Shape(level, anchorInCell);
        var anchor = anchors.Anchor(level, anchorInCell, y, x, grid.StrideY, grid.StrideX);
        return new ProposalAnchor(anchor, level, size, ratio);
    }

    /// <summary>Empties the list and makes room.</summary>
    /// <param name="capacity">The most proposals that will be added.</param>
    /// <param name="anchors">The anchors that they are decoded from.</param>
    /// <param name="grids">How the anchors of each level lie.</param>
    internal void Clear(int capacity, AnchorGenerator anchors, ReadOnlySpan<AnchorGrid> grids)
    {
        Count = 0;
        _anchors = anchors;
        WorkArray.Grow(ref _grids, grids.Length);
        grids.CopyTo(_grids);
        WorkArray.Grow(ref _boxes, capacity);
        WorkArray.Grow(ref _scores, capacity);
        WorkArray.Grow(ref _levels, capacity);
        WorkArray.Grow(ref _anchorIndices, capacity);
    }

    /// <summary>Adds a proposal, for which there is room.</summary>
    internal void Add(in Box box, float score, int level, int anchorIndex)
    {
        _boxes[Count] = box;
        _scores[Count] = score;
        _levels[Count] = level;
        _anchorIndices[Count] = anchorIndex;
        Count++;
    }
}
