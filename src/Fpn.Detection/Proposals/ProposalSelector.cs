using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Suppression;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Proposals;

/// <summary>Turns the RPN's outputs for one image into proposals.</summary>
/// <remarks>
/// <para>Per level: the best <see cref="ProposalOptions.PreNmsTopN"/> anchors by logit, equal logits by lower position
/// (y · W + x) · A + a; only these are decoded, clipped to the resized image and tested for size and score. Over all
/// levels: non-maximum suppression inside each level and the best <see cref="ProposalOptions.PostNmsTopN"/>.</para>
/// <para>Equal scores: the level added first, then the better rank in the level. torchvision orders by float32 sigmoid,
/// where close logits can tie; detectron2 by logits.</para>
/// <para>A workspace, one for each worker: it allocates nothing once it has grown, and is not thread-safe. Shape
/// letters: A anchors per cell, H×W grid. Sources: <c>filter_proposals</c> in torchvision's
/// <c>models/detection/rpn.py</c> and <c>find_top_rpn_proposals</c> in detectron2's
/// <c>modeling/proposal_generator/proposal_utils.py</c>.</para>
/// </remarks>
public sealed class ProposalSelector
{
    private readonly ProposalOptions _options;
    private readonly AnchorGenerator _anchors;
    private readonly string[] _objectnessNames;
    private readonly string[] _deltasNames;
    private readonly AnchorGrid[] _grids;
    private readonly BoxCoder _coder = new(BoxWeights.One);
    private readonly TopAnchors _topAnchors = new();
    private readonly NonMaxSuppression _suppression;

    private ImageSize _resized;
    private bool _begun;
    private int _nextLevel;
    private int _count;
    private Box[] _boxes = [];
    private float[] _scores = [];
    private float[] _ranking = [];
    private int[] _levels = [];
    private int[] _anchorIndices = [];
    private int[] _kept = [];

    /// <summary>Makes a workspace.</summary>
    /// <param name="options">Counts, thresholds and convention.</param>
    /// <param name="anchors">The anchors of the model's levels.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is less than 1, or the NMS threshold is not in [0,
    /// 1].</exception>
    public ProposalSelector(ProposalOptions options, AnchorGenerator anchors)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(anchors);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PreNmsTopN, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.PostNmsTopN, 1, nameof(options));
        _options = options;
        _anchors = anchors;
        _objectnessNames = [.. anchors.Levels.Select(level => $"objectness_{level.Name}")];
        _deltasNames = [.. anchors.Levels.Select(level => $"deltas_{level.Name}")];
        _grids = new AnchorGrid[anchors.LevelCount];
        _suppression = new NonMaxSuppression(options.NmsThreshold, options.MaxShiftedBoxes);
    }

    /// <summary>Starts an image and drops the one begun before, if any.</summary>
    /// <param name="resized">Size of the resized image without padding: proposals are clipped to it.</param>
    /// <exception cref="ArgumentOutOfRangeException">A side is negative.</exception>
    public void Begin(ImageSize resized)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(resized.Height, nameof(resized));
        ArgumentOutOfRangeException.ThrowIfNegative(resized.Width, nameof(resized));
        _resized = resized;
        _count = 0;
        _nextLevel = 0;
        _begun = true;
    }

    /// <summary>Adds the outputs of one level; levels are added in ascending order.</summary>
    /// <param name="level">0 for the first level.</param>
    /// <param name="objectness">[A, H, W] logits.</param>
    /// <param name="deltas">[4A, H, W] channel a · 4 + d of (dx, dy, dw, dh), unitless, without weights.</param>
    /// <param name="grid">H×W; may be empty.</param>
    /// <param name="strideY">Distance of the grid's rows in pixels, from <see cref="AnchorGenerator.Strides"/>.</param>
    /// <param name="strideX">Distance of the grid's columns in pixels.</param>
    /// <exception cref="InvalidOperationException">No image was begun.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level, or a side of the grid is
    /// negative.</exception>
    /// <exception cref="ArgumentException">A length does not fit the grid, or a later level was added
    /// already.</exception>
    /// <exception cref="NonFiniteOutputException">An output holds NaN or infinity; names <c>objectness_</c> or
    /// <c>deltas_</c> with the level's name. The image must be begun again.</exception>
    public void AddLevel(
        int level, ReadOnlySpan<float> objectness, ReadOnlySpan<float> deltas, ImageSize grid, int strideY, int strideX)
    {
        RequireBegun();
        var cellAnchors = _anchors.CellAnchors(level);
        RequireFitting(level, objectness.Length, deltas.Length, grid, cellAnchors.Length);
        if (level < _nextLevel)
        {
            throw new ArgumentException($"Levels must be added in ascending order: {level} is late.", nameof(level));
        }

        _nextLevel = level + 1;
        _grids[level] = new AnchorGrid(grid.Width, strideY, strideX);

        FiniteCheck.RequireFinite(_objectnessNames[level], objectness);
        FiniteCheck.RequireFinite(_deltasNames[level], deltas);
        if (objectness.IsEmpty)
        {
            return;
        }

        var best = _topAnchors.Select(objectness, cellAnchors.Length, _options.PreNmsTopN);
        Extend(_count + best.Length);
        var cells = objectness.Length / cellAnchors.Length;
        foreach (var key in best)
        {
            var anchorIndex = RankKey.Position(key);
            (var cell, var anchorInCell) = Math.DivRem(anchorIndex, cellAnchors.Length);
            (var y, var x) = Math.DivRem(cell, grid.Width);
            var anchor = AnchorGenerator.Shift(cellAnchors[anchorInCell], y, x, strideY, strideX);
            var first = anchorInCell * 4 * cells + cell;
            BoxDeltas anchorDeltas = new(
                deltas[first], deltas[first + cells], deltas[first + 2 * cells], deltas[first + 3 * cells]);
            AddCandidate(level, anchorIndex, RankKey.Score(key), _coder.Decode(anchorDeltas, anchor));
        }
    }

    /// <summary>Ends the image and returns its proposals.</summary>
    /// <param name="destination">Receives at most <see cref="ProposalOptions.PostNmsTopN"/> proposals, best first;
    /// empty when nothing passes.</param>
    /// <exception cref="InvalidOperationException">No image was begun.</exception>
    public void Complete(ProposalList destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        RequireBegun();
        _begun = false;
        var most = Math.Min(_options.PostNmsTopN, _count);
        destination.Clear(most, _anchors, _grids);
        WorkArray.Grow(ref _kept, most);
        var keptCount = _suppression.Select(
            _boxes.AsSpan(0, _count), _ranking.AsSpan(0, _count), _levels.AsSpan(0, _count), _kept.AsSpan(0, most));
        foreach (var kept in _kept.AsSpan(0, keptCount))
        {
            destination.Add(_boxes[kept], _scores[kept], _levels[kept], _anchorIndices[kept]);
        }
    }

    private static float Sigmoid(float logit) => 1 / (1 + MathF.Exp(-logit));

    private void AddCandidate(int level, int anchorIndex, float logit, in Box decoded)
    {
        if (_options.DropNonFinite && !BoxOperations.IsFinite(decoded))
        {
            return;
        }

        var box = BoxOperations.Clip(decoded, _resized);
        var score = Sigmoid(logit);

        // NaN fails both comparisons, so that a box with NaN is dropped under every rule.
        var large = _options.MinBoxSizeInclusive
            ? box.Width >= _options.MinBoxSize && box.Height >= _options.MinBoxSize
            : box.Width > _options.MinBoxSize && box.Height > _options.MinBoxSize;
        if (!large || !(score >= _options.ScoreThreshold))
        {
            return;
        }

        _boxes[_count] = box;
        _scores[_count] = score;
        _ranking[_count] = _options.Ranking == ProposalRanking.Score ? score : logit;
        _levels[_count] = level;
        _anchorIndices[_count] = anchorIndex;
        _count++;
    }

    private void Extend(int length)
    {
        WorkArray.Extend(ref _boxes, length);
        WorkArray.Extend(ref _scores, length);
        WorkArray.Extend(ref _ranking, length);
        WorkArray.Extend(ref _levels, length);
        WorkArray.Extend(ref _anchorIndices, length);
    }

    private void RequireBegun()
    {
        if (!_begun)
        {
            throw new InvalidOperationException("No image was begun.");
        }
    }

    private void RequireFitting(int level, int objectness, int deltas, ImageSize grid, int anchorsPerCell)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(grid.Height, nameof(grid));
        ArgumentOutOfRangeException.ThrowIfNegative(grid.Width, nameof(grid));
        if (objectness / (double)anchorsPerCell != grid.Area)
        {
            throw new ArgumentException(
                $"{_objectnessNames[level]} holds {objectness} values, not {anchorsPerCell} on a grid of {grid}.");
        }

        if (deltas != 4L * objectness)
        {
            throw new ArgumentException(
                $"{_deltasNames[level]} holds {deltas} values, not {4 * anchorsPerCell} on a grid of {grid}.");
        }
    }
}
