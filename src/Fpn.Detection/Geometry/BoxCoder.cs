namespace Fpn.Detection.Geometry;

/// <summary>Converts deltas and reference boxes to boxes, and back.</summary>
/// <param name="weights">Factors of the deltas in training; each must differ from 0.</param>
/// <remarks>
/// Eq. 2, Faster R-CNN (arXiv:1506.01497), in float32 and in the order of operations of <c>BoxCoder</c> in
/// torchvision's <c>models/detection/_utils.py</c>, which detectron2's <c>Box2BoxTransform</c> shares. Immutable, so
/// thread-safe.
/// </remarks>
public sealed class BoxCoder(BoxWeights weights)
{
    /// <summary>ln(1000/16): dw and dh are capped here, so that exp stays finite. They have no lower limit.</summary>
    public const float MaxLogRatio = 4.135166556742356f;

    /// <summary>Factors of the deltas in training.</summary>
    public BoxWeights Weights { get; } = weights;

    /// <summary>Applies regression deltas to a reference box.</summary>
    /// <param name="deltas">Unitless, multiplied by the weights.</param>
    /// <param name="reference">An anchor or proposal, xyxy.</param>
    /// <returns>xyxy in the same space, not clipped. NaN propagates; huge finite deltas give infinities.</returns>
    public Box Decode(in BoxDeltas deltas, in Box reference)
    {
        var width = reference.X2 - reference.X1;
        var height = reference.Y2 - reference.Y1;
        var centerX = reference.X1 + 0.5f * width;
        var centerY = reference.Y1 + 0.5f * height;

        var dw = MathF.Min(deltas.Dw / Weights.W, MaxLogRatio);
        var dh = MathF.Min(deltas.Dh / Weights.H, MaxLogRatio);

        var newCenterX = deltas.Dx / Weights.X * width + centerX;
        var newCenterY = deltas.Dy / Weights.Y * height + centerY;
        var halfWidth = 0.5f * (MathF.Exp(dw) * width);
        var halfHeight = 0.5f * (MathF.Exp(dh) * height);
        return new Box(
            newCenterX - halfWidth, newCenterY - halfHeight, newCenterX + halfWidth, newCenterY + halfHeight);
    }

    /// <summary>Applies regression deltas to reference boxes.</summary>
    /// <param name="deltas">[N] (dx, dy, dw, dh), unitless, multiplied by the weights.</param>
    /// <param name="references">[N] anchors or proposals, xyxy.</param>
    /// <param name="destination">[N] decoded boxes, same space, not clipped; may be
    /// <paramref name="references"/>.</param>
    /// <exception cref="ArgumentException">The three lengths differ.</exception>
    /// <remarks>NaN propagates; huge finite deltas give infinities.</remarks>
    public void Decode(ReadOnlySpan<BoxDeltas> deltas, ReadOnlySpan<Box> references, Span<Box> destination)
    {
        RequireEqual(deltas.Length, references.Length, destination.Length);
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = Decode(deltas[i], references[i]);
        }
    }

    /// <summary>Computes the deltas that <see cref="Decode(in BoxDeltas, in Box)"/> turns into a given box.</summary>
    /// <param name="box">The box wanted, xyxy, with positive sides.</param>
    /// <param name="reference">An anchor or proposal, xyxy in the same space, with positive sides.</param>
    /// <returns>Unitless, multiplied by the weights; infinite or NaN where a side is not positive.</returns>
    public BoxDeltas Encode(in Box box, in Box reference)
    {
        var referenceWidth = reference.X2 - reference.X1;
        var referenceHeight = reference.Y2 - reference.Y1;
        var referenceX = reference.X1 + 0.5f * referenceWidth;
        var referenceY = reference.Y1 + 0.5f * referenceHeight;
        var width = box.X2 - box.X1;
        var height = box.Y2 - box.Y1;
        var x = box.X1 + 0.5f * width;
        var y = box.Y1 + 0.5f * height;
        return new BoxDeltas(
            Weights.X * (x - referenceX) / referenceWidth,
            Weights.Y * (y - referenceY) / referenceHeight,
            Weights.W * MathF.Log(width / referenceWidth),
            Weights.H * MathF.Log(height / referenceHeight));
    }

    /// <summary>Computes the deltas that lead from reference boxes to given boxes.</summary>
    /// <param name="boxes">[N] the boxes wanted, xyxy, with positive sides.</param>
    /// <param name="references">[N] anchors or proposals, xyxy in the same space, with positive sides.</param>
    /// <param name="destination">[N] (dx, dy, dw, dh), unitless, multiplied by the weights.</param>
    /// <exception cref="ArgumentException">The three lengths differ.</exception>
    public void Encode(ReadOnlySpan<Box> boxes, ReadOnlySpan<Box> references, Span<BoxDeltas> destination)
    {
        RequireEqual(boxes.Length, references.Length, destination.Length);
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = Encode(boxes[i], references[i]);
        }
    }

    private static void RequireEqual(int first, int references, int destination)
    {
        if (first != references || references != destination)
        {
            throw new ArgumentException($"The lengths differ: {first}, {references} and {destination}.");
        }
    }
}
