using System.Runtime.InteropServices;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Suppression;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.RoiHeads;

/// <summary>Turns the box head's outputs for one image into detections.</summary>
/// <remarks>
/// <para>Softmax; every (RoI, class) whose score is greater than the threshold, and only those, decoded and clipped to the
/// resized image; small boxes dropped; non-maximum suppression inside each class; the best
/// <see cref="RoiHeadsOptions.DetectionsPerImage"/>; boxes taken back to the original image. Equal scores: smaller label first,
/// then earlier proposal.</para>
/// <para>A workspace, one for each worker: it allocates nothing once it has grown, and is not thread-safe. Shape letters:
/// R rows of the head's outputs, P proposals of the image, C classes without background, K boxes a row. Sources:
/// <c>postprocess_detections</c> in torchvision's <c>models/detection/roi_heads.py</c>; <c>fast_rcnn_inference_single_image</c>
/// and <c>detector_postprocess</c> in detectron2's <c>modeling</c>.</para>
/// </remarks>
public sealed class DetectionSelector
{
    private const string ClassLogitsName = "class_logits";
    private const string BoxDeltasName = "box_deltas";

    private readonly RoiHeadsOptions _options;
    private readonly BoxCoder _coder;
    private readonly NonMaxSuppression _suppression;
    private readonly int _columns;
    private readonly int _firstColumn;
    private readonly int _boxesPerRow;
    private readonly int _firstBox;
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
    /// <exception cref="ArgumentOutOfRangeException">A count is less than 1, the NMS threshold is not in [0, 1], or the score
    /// threshold is NaN.</exception>
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
        _columns = options.Classes + 1;
        _firstColumn = options.Background == BackgroundPosition.First ? 1 : 0;
        _boxesPerRow = options.BoxDeltas switch
        {
            BoxDeltasLayout.PerClassWithBackground => _columns,
            BoxDeltasLayout.PerClass => options.Classes,
            _ => 1,
        };
        _firstBox = options.BoxDeltas == BoxDeltasLayout.PerClassWithBackground ? _firstColumn : 0;
        _row = new float[(_columns + Softmax.Lanes - 1) / Softmax.Lanes * Softmax.Lanes];
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
    /// <param name="destination">Receives the detections, best first; maybe none.</param>
    /// <exception cref="ArgumentException">A length does not fit the others, or a row is not in the outputs.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A side of the resized image is less than 1, or of the original negative.</exception>
    /// <exception cref="NonFiniteOutputException">A row of this image holds NaN or infinity; names <c>class_logits</c> or
    /// <c>box_deltas</c>. Rows of other images are not read, so that a bad image costs only itself.</exception>
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
        RequireFitting(classLogits.Length, boxDeltas.Length, proposals.Length, rows);
        ArgumentOutOfRangeException.ThrowIfLessThan(resized.Height, 1, nameof(resized));
        ArgumentOutOfRangeException.ThrowIfLessThan(resized.Width, 1, nameof(resized));
        ArgumentOutOfRangeException.ThrowIfNegative(original.Height, nameof(original));
        ArgumentOutOfRangeException.ThrowIfNegative(original.Width, nameof(original));

        _count = 0;
        _keptCount = 0;
        _resized = resized;
        _original = original;
        for (int proposal = 0; proposal < proposals.Length; proposal++)
        {
            ReadOnlySpan<float> logits = classLogits.Slice(rows[proposal] * _columns, _columns);
            ReadOnlySpan<float> deltas = boxDeltas.Slice(rows[proposal] * 4 * _boxesPerRow, 4 * _boxesPerRow);
            FiniteCheck.RequireFinite(ClassLogitsName, logits);
            float magnitude = FiniteCheck.RequireFinite(BoxDeltasName, deltas);
            AddCandidates(proposal, logits, MemoryMarshal.Cast<float, BoxDeltas>(deltas), magnitude, proposals[proposal], resized);
        }

        SortByClass();
        _keptCount = _suppression.Select(
            _boxes.AsSpan(0, _count), _scores.AsSpan(0, _count), _groups.AsSpan(0, _count), _kept);
        destination.Clear(_keptCount);
        foreach (int kept in _kept.AsSpan(0, _keptCount))
        {
            DetectedBox detection = Candidate(kept);
            if (IsReported(detection.Box))
            {
                destination.Add(detection);
            }
        }
    }

    /// <summary>Candidates of the image that was selected last: all that passed score and size, before suppression.</summary>
    public int CandidateCount => _count;

    /// <summary>Lists what suppression removed from the image that was selected last, and in whose favour.</summary>
    /// <returns>In order of class, then proposal; without candidates that only were beyond
    /// <see cref="RoiHeadsOptions.DetectionsPerImage"/>.</returns>
    /// <remarks>Allocates, and compares all candidates once more: for those who want to know why.</remarks>
    public IReadOnlyList<SuppressedBox> ListSuppressed()
    {
        int[] removers = new int[_count];
        float[] overlaps = new float[_count];
        _suppression.FindRemovers(
            _boxes.AsSpan(0, _count),
            _scores.AsSpan(0, _count),
            _groups.AsSpan(0, _count),
            _kept.AsSpan(0, _keptCount),
            removers,
            overlaps);

        // The detections stand without those that were not reported.
        int[] detections = new int[_keptCount];
        int reported = 0;
        for (int place = 0; place < detections.Length; place++)
        {
            detections[place] = IsReported(Candidate(_kept[place]).Box) ? reported++ : -1;
        }

        List<SuppressedBox> suppressed = [];
        for (int i = 0; i < removers.Length; i++)
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
        _groups[index] - _firstColumn,
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
        _row.AsSpan(_columns).Fill(float.NegativeInfinity);
        Softmax.Apply(_row);

        WorkArray.Extend(ref _found, _count + _options.Classes);
        bool rowChecked = !_options.DropNonFinite;
        ReadOnlySpan<float> scores = _row.AsSpan(_firstColumn, _options.Classes);
        for (int label = 0; label < scores.Length; label++)
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
        int boxIndex = _boxesPerRow == 1 ? 0 : label + _firstBox;
        Box box = BoxOperations.Clip(_coder.Decode(deltas[boxIndex], reference), resized);
        if (box.Width >= _options.MinBoxSize && box.Height >= _options.MinBoxSize)
        {
            _found[_count++] = new DetectedBox(box, score, label, proposal);
        }
    }

    /// <summary>Whether the boxes of all classes of a row are finite.</summary>
    private bool IsFiniteRow(ReadOnlySpan<BoxDeltas> deltas, float magnitude, in Box reference)
    {
        // Decoding multiplies a delta by a side and adds; far from float32's end that needs no looking at.
        BoxWeights weights = _options.BoxWeights;
        float smallestWeight = MathF.Min(
            MathF.Min(MathF.Abs(weights.X), MathF.Abs(weights.Y)), MathF.Min(MathF.Abs(weights.W), MathF.Abs(weights.H)));
        float extent = MathF.Max(
            MathF.Max(MathF.Abs(reference.X1), MathF.Abs(reference.Y1)),
            MathF.Max(MathF.Abs(reference.X2), MathF.Abs(reference.Y2)));
        if (magnitude / smallestWeight < 1e15f && extent < 1e15f)
        {
            return true;
        }

        foreach (ref readonly BoxDeltas boxDeltas in deltas)
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
        foreach (ref readonly DetectedBox candidate in found)
        {
            _classStarts[candidate.Label + 1]++;
        }

        for (int label = 1; label < _classStarts.Length; label++)
        {
            _classStarts[label] += _classStarts[label - 1];
        }

        foreach (ref readonly DetectedBox candidate in found)
        {
            int place = _classStarts[candidate.Label]++;
            _boxes[place] = candidate.Box;
            _scores[place] = candidate.Score;
            _proposals[place] = candidate.Proposal;

            // The reference's own number of the class: it decides how far boxes are shifted apart in NMS.
            _groups[place] = candidate.Label + _firstColumn;
        }
    }

    private void RequireFitting(int classLogits, int boxDeltas, int proposals, ReadOnlySpan<int> rows)
    {
        int rowCount = classLogits / _columns;
        if (rowCount * _columns != classLogits)
        {
            throw new ArgumentException($"{ClassLogitsName} holds {classLogits} values, no multiple of {_columns}.");
        }

        if (boxDeltas != 4L * _boxesPerRow * rowCount)
        {
            throw new ArgumentException(
                $"{BoxDeltasName} holds {boxDeltas} values, not {4 * _boxesPerRow} in each of {rowCount} rows.");
        }

        if (rows.Length != proposals)
        {
            throw new ArgumentException($"There are {proposals} proposals but {rows.Length} rows.");
        }

        foreach (int row in rows)
        {
            if ((uint)row >= (uint)rowCount)
            {
                throw new ArgumentException($"There is no row {row}: the head gave {rowCount}.", nameof(rows));
            }
        }
    }
}
