using System.Runtime.InteropServices;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.RoiHeads;

/// <summary>Turns the box head's outputs for given regions into the scores of all classes and one refined box
/// each.</summary>
/// <remarks>
/// <para>Fast R-CNN on regions from elsewhere: softmax, and the deltas of the best class that is not background,
/// decoded and clipped to the resized image, taken back to the original one. Nothing is dropped and nothing
/// suppressed.</para>
/// <para>A workspace, one for each worker: it allocates nothing, and is not thread-safe. Shape letters: R rows of the
/// head's outputs, C classes without background, K boxes a row. Source: <c>postprocess_detections</c> in torchvision's
/// <c>models/detection/roi_heads.py</c>, up to its thresholds.</para>
/// </remarks>
public sealed class RegionClassifier
{
    private readonly BoxCoder _coder;
    private readonly HeadLayout _layout;
    private readonly float[] _row;

    /// <summary>Makes a workspace.</summary>
    /// <param name="options">Classes and convention; thresholds are not used.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no class.</exception>
    public RegionClassifier(RoiHeadsOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Classes, 1, nameof(options));
        _coder = new BoxCoder(options.BoxWeights);
        _layout = new HeadLayout(options);
        _row = new float[(_layout.Columns + Softmax.Lanes - 1) / Softmax.Lanes * Softmax.Lanes];
        Classes = options.Classes;
    }

    /// <summary>C: classes without background.</summary>
    public int Classes { get; }

    /// <summary>Classifies one region.</summary>
    /// <param name="classLogits">[R, C + 1] logits of all regions of the batch.</param>
    /// <param name="boxDeltas">[R, 4K] deltas times the weights; K by <see cref="RoiHeadsOptions.BoxDeltas"/>.</param>
    /// <param name="row">The region's row in them.</param>
    /// <param name="region">xyxy, resized-image pixels.</param>
    /// <param name="resized">Size of the resized image without padding; both sides at least 1.</param>
    /// <param name="original">Size of the original image.</param>
    /// <param name="scores">[C] receives the softmax score of each class, 0 to 1.</param>
    /// <exception cref="ArgumentException">A length does not fit the others, or the row is not in the
    /// outputs.</exception>
    /// <exception cref="NonFiniteOutputException">The row holds NaN or infinity; names <c>class_logits</c> or
    /// <c>box_deltas</c>.</exception>
    public ClassifiedBox Classify(
        ReadOnlySpan<float> classLogits,
        ReadOnlySpan<float> boxDeltas,
        int row,
        in Box region,
        ImageSize resized,
        ImageSize original,
        Span<float> scores)
    {
        _layout.RequireFitting(
            (HeadLayout.ClassLogitsName, classLogits.Length), (HeadLayout.BoxDeltasName, boxDeltas.Length), 1, [row]);
        if (scores.Length != Classes)
        {
            throw new ArgumentException($"There is room for {scores.Length} scores of {Classes} classes.");
        }

        var logits = classLogits.Slice(row * _layout.Columns, _layout.Columns);
        var deltas = boxDeltas.Slice(row * _layout.DeltasPerRow, _layout.DeltasPerRow);
        FiniteCheck.RequireFinite(HeadLayout.ClassLogitsName, logits);
        FiniteCheck.RequireFinite(HeadLayout.BoxDeltasName, deltas);
        logits.CopyTo(_row);
        _row.AsSpan(_layout.Columns).Fill(float.NegativeInfinity);
        Softmax.Apply(_row);
        _row.AsSpan(_layout.FirstColumn, Classes).CopyTo(scores);
        var best = 0;
        for (var label = 1; label < Classes; label++)
        {
            best = scores[label] > scores[best] ? label : best;
        }

        var boxIndex = _layout.BoxesPerRow == 1 ? 0 : best + _layout.FirstBox;
        var decoded = _coder.Decode(MemoryMarshal.Cast<float, BoxDeltas>(deltas)[boxIndex], region);
        var box = BoxOperations.ToOriginal(BoxOperations.Clip(decoded, resized), resized, original);
        return new ClassifiedBox(box, best, _row[_layout.FirstColumn == 0 ? Classes : 0]);
    }
}
