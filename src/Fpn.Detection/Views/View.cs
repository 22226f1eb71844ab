using Fpn.Detection.Geometry;

namespace Fpn.Detection.Views;

/// <summary>One look at an image: a part of it, resized to a size of its own, mirrored or not.</summary>
/// <param name="Region">The part, in pixels of the image as displayed.</param>
/// <param name="MinSize">The shorter side after resizing, in pixels; null for the model's own size.</param>
/// <param name="IsMirrored">Whether left and right are exchanged after resizing.</param>
public readonly record struct View(PixelRectangle Region, int? MinSize = null, bool IsMirrored = false)
{
    /// <summary>How close to its region's border a box ends where the border cut the object, in parts of the region's
    /// side. Regressed edges are off by about this much.</summary>
    private const float CutMargin = 1f / 64;

    /// <summary>Creates the look at a whole image that the model itself asks for.</summary>
    /// <param name="image">The image's size.</param>
    public View(ImageSize image)
        : this(new PixelRectangle(image))
    {
    }

    /// <summary>Takes a box from the view to the image.</summary>
    /// <param name="box">xyxy in pixels of the region before resizing, clipped to it, as the mirrored region shows
    /// it.</param>
    /// <returns>xyxy in pixels of the image.</returns>
    public Box ToImage(in Box box)
    {
        float width = Region.Size.Width;
        var (left, right) = IsMirrored ? (width - box.X2, width - box.X1) : (box.X1, box.X2);
        return new Box(left + Region.Left, box.Y1 + Region.Top, right + Region.Left, box.Y2 + Region.Top);
    }

    /// <summary>Returns whether a box ends where the view does and the image does not: it may be a part of an
    /// object.</summary>
    /// <param name="box">xyxy in pixels of the image.</param>
    /// <param name="image">The image's size.</param>
    public bool Cuts(in Box box, ImageSize image)
    {
        var (marginX, marginY) = (CutMargin * Region.Size.Width, CutMargin * Region.Size.Height);
        return (Region.Left > 0 && box.X1 <= Region.Left + marginX)
            || (Region.Top > 0 && box.Y1 <= Region.Top + marginY)
            || (Region.Right < image.Width && box.X2 >= Region.Right - marginX)
            || (Region.Bottom < image.Height && box.Y2 >= Region.Bottom - marginY);
    }
}
