namespace Fpn.Service.Compatibility.Doods;

/// <summary>A part of the image with thresholds of its own.</summary>
/// <param name="Area">Where it is.</param>
/// <param name="Covers">Whether it must hold the whole object; otherwise it is enough that they touch.</param>
/// <param name="Thresholds">How sure the model must be there.</param>
internal sealed record DoodsRegion(DoodsBox Area, bool Covers, DoodsThresholds Thresholds)
{
    /// <summary>Whether the region keeps an object.</summary>
    /// <param name="box">Where the object is.</param>
    /// <param name="label">Its label.</param>
    /// <param name="percent">Its confidence, in percent.</param>
    public bool Keep(in DoodsBox box, string label, double percent) =>
        (Covers ? Area.Holds(box) : Area.Touches(box)) && Thresholds.Keep(label, percent);
}

/// <summary>A box in parts of the image, 0 to 1.</summary>
/// <param name="Top">Upper edge.</param>
/// <param name="Left">Left edge.</param>
/// <param name="Bottom">Lower edge.</param>
/// <param name="Right">Right edge.</param>
internal readonly record struct DoodsBox(double Top, double Left, double Bottom, double Right)
{
    /// <summary>Whether another box lies inside this one; edges may be shared.</summary>
    public bool Holds(in DoodsBox other) =>
        Top <= other.Top && Left <= other.Left && Bottom >= other.Bottom && Right >= other.Right;

    /// <summary>Whether the boxes share a point.</summary>
    public bool Touches(in DoodsBox other) =>
        other.Top <= Bottom && other.Left <= Right && other.Bottom >= Top && other.Right >= Left;
}
