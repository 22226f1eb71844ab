namespace Fpn.Detection.Geometry;

/// <summary>Computes with boxes in float32, as torchvision's <c>ops/boxes.py</c> does.</summary>
public static class BoxOperations
{
    /// <summary>Computes the intersection over union of two boxes, xyxy in the same space.</summary>
    /// <returns>0 to 1; NaN when both boxes have no area (0 / 0), or when a coordinate is NaN.</returns>
    /// <remarks>Symmetric to the bit. Source: torchvision's CPU kernel of <c>ops.nms</c>.</remarks>
    public static float IntersectionOverUnion(in Box a, in Box b)
    {
        var width = MathF.Max(0, MathF.Min(a.X2, b.X2) - MathF.Max(a.X1, b.X1));
        var height = MathF.Max(0, MathF.Min(a.Y2, b.Y2) - MathF.Max(a.Y1, b.Y1));
        var intersection = width * height;
        return intersection / (a.Area + b.Area - intersection);
    }

    /// <summary>Computes the intersection of two boxes over the area of the smaller one, xyxy in the same
    /// space.</summary>
    /// <returns>0 to 1, up to rounding: 1 where one lies in the other; NaN when the smaller one has no area.</returns>
    public static float IntersectionOverSmaller(in Box a, in Box b)
    {
        var width = MathF.Max(0, MathF.Min(a.X2, b.X2) - MathF.Max(a.X1, b.X1));
        var height = MathF.Max(0, MathF.Min(a.Y2, b.Y2) - MathF.Max(a.Y1, b.Y1));
        return width * height / MathF.Min(a.Area, b.Area);
    }

    /// <summary>Returns the smallest box that holds two boxes.</summary>
    public static Box Enclose(in Box a, in Box b) => new(
        MathF.Min(a.X1, b.X1), MathF.Min(a.Y1, b.Y1), MathF.Max(a.X2, b.X2), MathF.Max(a.Y2, b.Y2));

    /// <summary>Moves every edge into the image: x to [0, width], y to [0, height].</summary>
    /// <param name="box">xyxy, pixels of that image; infinities are moved to the border, NaN stays NaN.</param>
    /// <param name="image">The image's size.</param>
    /// <returns>A box that may have lost its area.</returns>
    public static Box Clip(in Box box, ImageSize image)
    {
        float width = image.Width;
        float height = image.Height;
        return new Box(
            MathF.Min(MathF.Max(box.X1, 0), width),
            MathF.Min(MathF.Max(box.Y1, 0), height),
            MathF.Min(MathF.Max(box.X2, 0), width),
            MathF.Min(MathF.Max(box.Y2, 0), height));
    }

    /// <summary>Takes a box from the resized image to the original one and clips it there.</summary>
    /// <param name="box">xyxy, resized-image pixels.</param>
    /// <param name="resized">Size of the resized image, without padding; both sides at least 1.</param>
    /// <param name="original">Size of the original image.</param>
    /// <returns>xyxy, original-image pixels, inside the image.</returns>
    /// <remarks>Each axis is multiplied by its own float32 quotient original / resized, since the sides were rounded
    /// separately. Source: <c>resize_boxes</c> in torchvision's <c>models/detection/transform.py</c>.</remarks>
    public static Box ToOriginal(in Box box, ImageSize resized, ImageSize original) =>
        Clip(Scale(box, resized, original), original);

    /// <summary>Takes a box from the resized image to the original one, beyond its borders too.</summary>
    /// <param name="box">xyxy, resized-image pixels.</param>
    /// <param name="resized">Size of the resized image, without padding; both sides at least 1.</param>
    /// <param name="original">Size of the original image.</param>
    /// <returns>xyxy, original-image pixels, not clipped.</returns>
    public static Box Scale(in Box box, ImageSize resized, ImageSize original)
    {
        var ratioX = (float)original.Width / resized.Width;
        var ratioY = (float)original.Height / resized.Height;
        return new Box(box.X1 * ratioX, box.Y1 * ratioY, box.X2 * ratioX, box.Y2 * ratioY);
    }

    /// <summary>Takes a box from the original image to the resized one.</summary>
    /// <param name="box">xyxy, original-image pixels.</param>
    /// <param name="original">Size of the original image; both sides at least 1.</param>
    /// <param name="resized">Size of the resized image, without padding.</param>
    /// <returns>xyxy, resized-image pixels, not clipped.</returns>
    /// <remarks>As <see cref="Scale"/>, the other way: torchvision's <c>resize_boxes</c>.</remarks>
    public static Box ToResized(in Box box, ImageSize original, ImageSize resized) => Scale(box, original, resized);

    /// <summary>Returns whether all four coordinates are finite.</summary>
    public static bool IsFinite(in Box box) =>
        float.IsFinite(box.X1) && float.IsFinite(box.Y1) && float.IsFinite(box.X2) && float.IsFinite(box.Y2);
}
