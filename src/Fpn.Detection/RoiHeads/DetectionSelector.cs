using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;
using Fpn.Detection.Suppression;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.RoiHeads;

/// <summary>Turns the box head's outputs for one image into detections.</summary>
/// <remarks>
/// <para>Softmax; every (RoI, class) whose score is greater than the threshold, and only those, decoded and clipped to
/// the resized image; small boxes dropped; non-maximum suppression inside each class; the best
/// <see cref="RoiHeadsOptions.DetectionsPerImage"/>; boxes taken back to the original image. Equal scores: smaller
/// label first, then earlier proposal.</para>
/// <para>A workspace, one for each worker: it allocates nothing once it has grown, and is not thread-safe. Shape
/// letters: R rows of the head's outputs, P proposals of the image, C classes without background, K boxes a row.
/// Sources: <c>postprocess_detections</c> in torchvision's <c>models/detection/roi_heads.py</c>;
/// <c>fast_rcnn_inference_single_image</c> and <c>detector_postprocess</c> in detectron2's <c>modeling</c>.</para>
/// </remarks>
public sealed class DetectionSelector
{
    private readonly RoiHeadsOptions _options;
    private readonly BoxCoder _coder;
    private readonly NonMaxSuppression _suppression;
    private readonly HeadLayout _layout;
    private readonly float[] _row;
    private readonly int[] _classStarts;
    private readonly int[] _kept;

    private int _count;
    private int _keptCount;
    private ImageSize _resized;
    private ImageSize _original;
    private DetectedBox[] _found = [];
    private Box[] _boxes = [];
    private float[] _scores = [];
    private int[] _groups = [];
    private int[] _proposals = [];

    /// <summary>Makes a workspace.</summary>
    /// <param name="options">Classes, thresholds and convention.</param>
    /// <exception cref="ArgumentOutOfRangeException">A count is less than 1, the NMS threshold is not in [0, 1], or the
    /// score threshold is NaN.</exception>
    public DetectionSelector(RoiHeadsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Classes, 1, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.DetectionsPerImage, 1, nameof(options));
        if (float.IsNaN(options.ScoreThreshold))
        {
            throw new ArgumentOutOfRangeException(nameof(options), "The score threshold must be a number.");
        }

        _options = options;
        _coder = new BoxCoder(options.BoxWeights);
        _suppression = new NonMaxSuppression(options.NmsThreshold, options.MaxShiftedBoxes);
        _layout = new HeadLayout(options);
        _row = new float[(_layout.Columns + Softmax.Lanes - 1) / Softmax.Lanes * Softmax.Lanes];
        _classStarts = new int[options.Classes + 1];
        _kept = new int[options.DetectionsPerImage];
    }

    /// <summary>Selects the detections of one image.</summary>
    /// <param name="classLogits">[R, C + 1] logits of all images of the batch.</param>
    /// <param name="boxDeltas">[R, 4K] deltas times the weights; K by <see cref="RoiHeadsOptions.BoxDeltas"/>.</param>
    /// <param name="proposals">[P] the image's proposals, xyxy, resized-image pixels; may be empty.</param>
    /// <param name="rows">[P] the row of each proposal in the head's outputs, which come grouped by level.</param>
    /// <param name="resized">Size of the resized image without padding; both sides at least 1.</param>
    /// <param name="original">Size of the original image.</param>
    /// <param name="destination">Receives the detections, best first; empty when nothing passes.</param>
    /// <exception cref="ArgumentException">A length does not fit the others, or a row is not in the
    /// outputs.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A side of the resized image is less than 1, or of the original
    /// negative.</exception>
    /// <exception cref="NonFiniteOutputException">A row of this image holds NaN or infinity; names <c>class_logits</c>
    /// or <c>box_deltas</c>. Rows of other images are not read, so that one bad image does not fail the
    /// others.</exception>
    public void Select(
        ReadOnlySpan<float> classLogits,
        ReadOnlySpan<float> boxDeltas,
        ReadOnlySpan<Box> proposals,
        ReadOnlySpan<int> rows,
        ImageSize resized,
        ImageSize original,
        DetectionList destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        _layout.RequireFitting(
            (HeadLayout.ClassLogitsName, classLogits.Length),
            (HeadLayout.BoxDeltasName, boxDeltas.Length),
            proposals.Length,
            rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(resized.Height, 1, nameof(resized));
        ArgumentOutOfRangeException.ThrowIfLessThan(resized.Width, 1, nameof(resized));
        ArgumentOutOfRangeException.ThrowIfNegative(original.Height, nameof(original));
        ArgumentOutOfRangeException.ThrowIfNegative(original.Width, nameof(original));

        _count = 0;
        _keptCount = 0;
        _resized = resized;
        _original = original;
        var columns = _layout.Columns;
        var deltasPerRow = _layout.DeltasPerRow;
        for (var proposal = 0; proposal < proposals.Length; proposal++)
        {
            var logits = classLogits.Slice(rows[proposal] * columns, columns);
            var deltas = boxDeltas.Slice(rows[proposal] * deltasPerRow, deltasPerRow);
            FiniteCheck.RequireFinite(HeadLayout.ClassLogitsName, logits);
            var magnitude = FiniteCheck.RequireFinite(HeadLayout.BoxDeltasName, deltas);
            var rowDeltas = MemoryMarshal.Cast<float, BoxDeltas>(deltas);
            AddCandidates(proposal, logits, rowDeltas, magnitude, proposals[proposal], resized);
        }

        SortByClass();
        _keptCount = _suppression.Select(
            _boxes.AsSpan(0, _count), _scores.AsSpan(0, _count), _groups.AsSpan(0, _count), _kept);
        destination.Clear(_keptCount);
        foreach (var kept in _kept.AsSpan(0, _keptCount))
        {
            var detection = Candidate(kept);
            if (IsReported(detection.Box))
            {
                destination.Add(detection);
            }
        }
    }

    /// <summary>Candidates in the last call of <see cref="Select"/>: all that passed score and size, before
    /// suppression.</summary>
    public int CandidateCount => _count;

    /// <summary>Lists what suppression removed in the last call of <see cref="Select"/>, and which detection removed
    /// it.</summary>
    /// <returns>In order of class, then proposal; without candidates that only
    /// <see cref="RoiHeadsOptions.DetectionsPerImage"/> excluded.</returns>
    /// <remarks>Allocates, and compares all candidates once more; meant for explanations.</remarks>
    public IReadOnlyList<SuppressedBox> ListSuppressed()
    {
        var removers = new int[_count];
        var overlaps = new float[_count];
        _suppression.FindRemovers(
            _boxes.AsSpan(0, _count),
            _scores.AsSpan(0, _count),
            _groups.AsSpan(0, _count),
            _kept.AsSpan(0, _keptCount),
            removers,
            overlaps);

        // Positions in the list of detections skip those that were not reported.
        var detections = new int[_keptCount];
        var reported = 0;
        for (var place = 0; place < detections.Length; place++)
        {
            detections[place] = IsReported(Candidate(_kept[place]).Box) ? reported++ : -1;
        }

        List<SuppressedBox> suppressed = [];
        for (var i = 0; i < removers.Length; i++)
        {
            if (removers[i] >= 0 && detections[removers[i]] >= 0)
            {
                suppressed.Add(new SuppressedBox(Candidate(i), detections[removers[i]], overlaps[i]));
            }
        }

        return suppressed;
    }

    private DetectedBox Candidate(int index) => new(
        BoxOperations.ToOriginal(_boxes[index], _resized, _original),
        _scores[index],
        _groups[index] - _layout.FirstColumn,
        _proposals[index]);

    private bool IsReported(in Box box) => !_options.DropEmpty || (box.Width > 0 && box.Height > 0);

    private void AddCandidates(
        int proposal,
        ReadOnlySpan<float> logits,
        ReadOnlySpan<BoxDeltas> deltas,
        float magnitude,
        in Box reference,
        ImageSize resized)
    {
        logits.CopyTo(_row);
        _row.AsSpan(_layout.Columns).Fill(float.NegativeInfinity);
        Softmax.Apply(_row);

        WorkArray.Extend(ref _found, _count + _options.Classes);
        var rowChecked = !_options.DropNonFinite;
        ReadOnlySpan<float> scores = _row.AsSpan(_layout.FirstColumn, _options.Classes);
        for (var label = 0; label < scores.Length; label++)
        {
            if (!(scores[label] > _options.ScoreThreshold))
            {
                continue;
            }

            if (!rowChecked)
            {
                if (!IsFiniteRow(deltas, magnitude, reference))
                {
                    return;
                }

                rowChecked = true;
            }

            AddCandidate(proposal, label, scores[label], deltas, reference, resized);
        }
    }

    private void AddCandidate(
        int proposal, int label, float score, ReadOnlySpan<BoxDeltas> deltas, in Box reference, ImageSize resized)
    {
        var boxIndex = _layout.BoxesPerRow == 1 ? 0 : label + _layout.FirstBox;
        var box = BoxOperations.Clip(_coder.Decode(deltas[boxIndex], reference), resized);
        if (box.Width >= _options.MinBoxSize && box.Height >= _options.MinBoxSize)
        {
            _found[_count++] = new DetectedBox(box, score, label, proposal);
        }
    }

    /// <summary>Whether the boxes of all classes of a row are finite.</summary>
    private bool IsFiniteRow(ReadOnlySpan<BoxDeltas> deltas, float magnitude, in Box reference)
    {
        // Decoding multiplies a delta by a side and adds: with small numbers the sum cannot overflow float32.
        var weights = _options.BoxWeights;
        var smallestWeight = MathF.Min(
            MathF.Min(MathF.Abs(weights.X), MathF.Abs(weights.Y)),
            MathF.Min(MathF.Abs(weights.W), MathF.Abs(weights.H)));
        var extent = MathF.Max(
            MathF.Max(MathF.Abs(reference.X1), MathF.Abs(reference.Y1)),
            MathF.Max(MathF.Abs(reference.X2), MathF.Abs(reference.Y2)));
        if (magnitude / smallestWeight < 1e15f && extent < 1e15f)
        {
            return true;
        }

        foreach (ref readonly var boxDeltas in deltas)
        {
            if (!BoxOperations.IsFinite(_coder.Decode(boxDeltas, reference)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Lays the candidates out by class and then by proposal: the order among equal scores.</summary>
    private void SortByClass()
    {
        WorkArray.Grow(ref _boxes, _count);
        WorkArray.Grow(ref _scores, _count);
        WorkArray.Grow(ref _groups, _count);
        WorkArray.Grow(ref _proposals, _count);
        Array.Clear(_classStarts);
        ReadOnlySpan<DetectedBox> found = _found.AsSpan(0, _count);
        foreach (ref readonly var candidate in found)
        {
            _classStarts[candidate.Label + 1]++;
        }

        for (var label = 1; label < _classStarts.Length; label++)
        {
            _classStarts[label] += _classStarts[label - 1];
        }

        foreach (ref readonly var candidate in found)
        {
            var place = _classStarts[candidate.Label]++;
            _boxes[place] = candidate.Box;
            _scores[place] = candidate.Score;
            _proposals[place] = candidate.Proposal;

            // The class number of the reference implementation: it decides how far NMS shifts boxes apart.
            _groups[place] = candidate.Label + _layout.FirstColumn;
        }
    }
}
