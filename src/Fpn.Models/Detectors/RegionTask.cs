using Fpn.Detection.Geometry;

namespace Fpn.Models.Detectors;

/// <summary>Classifying given regions: the second stage alone, which looks at them in the proposals' place. For
/// two-stage models.</summary>
/// <param name="Boxes">[N] xyxy in pixels of the original image; parts beyond it are cut off.</param>
/// <param name="Top">Classes that are listed for each, at least 1.</param>
internal sealed record RegionTask(IReadOnlyList<Box> Boxes, int Top) : ImageTask
{
    /// <summary>Why a box cannot be classified, in words for clients; null where it can.</summary>
    /// <param name="box">xyxy, original-image pixels.</param>
    /// <param name="image">Size of the original image.</param>
    public static string? FindFault(in Box box, ImageSize image)
    {
        if (!BoxOperations.IsFinite(box))
        {
            return "A coordinate of the box is not finite.";
        }

        if (box.X2 < box.X1 || box.Y2 < box.Y1)
        {
            return "The box is inverted: x2 must be greater than x1, and y2 greater than y1.";
        }

        if (box.X2 == box.X1 || box.Y2 == box.Y1)
        {
            return "The box is empty.";
        }

        var seen = BoxOperations.Clip(box, image);
        return seen.X2 > seen.X1 && seen.Y2 > seen.Y1
            ? null
            : $"The box lies outside the image, which has {image.Width} x {image.Height} pixels.";
    }

    /// <summary>Takes the boxes that can be classified to the resized image.</summary>
    /// <param name="geometry">The image's sizes.</param>
    /// <returns>xyxy, resized-image pixels, in the order of <see cref="Boxes"/>.</returns>
    public Box[] ToResized(ImageGeometry geometry)
    {
        var boxes = new Box[Boxes.Count];
        var count = 0;
        foreach (var box in Boxes)
        {
            if (FindFault(box, geometry.Original) is null)
            {
                var seen = BoxOperations.Clip(box, geometry.Original);
                boxes[count++] = BoxOperations.ToResized(seen, geometry.Original, geometry.Resized);
            }
        }

        return boxes[..count];
    }
}
