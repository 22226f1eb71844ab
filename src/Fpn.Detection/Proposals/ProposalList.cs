using Fpn.Detection.Boxes;

namespace Fpn.Detection.Proposals;

/// <summary>The proposals of one image, best first; reused from image to image.</summary>
/// <remarks>The spans show the list's own memory: they are valid until the list is filled again. Not thread-safe.</remarks>
public sealed class ProposalList
{
    private Box[] _boxes = [];
    private float[] _scores = [];
    private int[] _levels = [];
    private int[] _anchorIndices = [];

    /// <summary>P: number of proposals.</summary>
    public int Count { get; private set; }

    /// <summary>[P] xyxy, resized-image pixels, clipped to the resized image.</summary>
    public ReadOnlySpan<Box> Boxes => _boxes.AsSpan(0, Count);

    /// <summary>[P] sigmoid of the objectness, 0 to 1, not ascending (detectron2 orders by the logits behind them).</summary>
    public ReadOnlySpan<float> Scores => _scores.AsSpan(0, Count);

    /// <summary>[P] the RPN's level that each proposal came from, 0 for the first.</summary>
    public ReadOnlySpan<int> Levels => _levels.AsSpan(0, Count);

    /// <summary>[P] position of each proposal's anchor in its level: (y · W + x) · A + a.</summary>
    public ReadOnlySpan<int> AnchorIndices => _anchorIndices.AsSpan(0, Count);

    /// <summary>Empties the list and makes room.</summary>
    internal void Clear(int capacity)
    {
        Count = 0;
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
