using Fpn.Detection.Geometry;

namespace Fpn.Service.Compatibility.Door;

/// <summary>A box in whole pixels, for contracts that know no others.</summary>
/// <param name="X1">Left edge.</param>
/// <param name="Y1">Upper edge.</param>
/// <param name="X2">Right edge.</param>
/// <param name="Y2">Lower edge.</param>
internal readonly record struct PixelBox(int X1, int Y1, int X2, int Y2)
{
    /// <summary>Moves each edge to the nearest whole number; the box stays in the image.</summary>
    public static PixelBox Round(in Box box) =>
        new(Nearest(box.X1), Nearest(box.Y1), Nearest(box.X2), Nearest(box.Y2));

    private static int Nearest(float edge) => (int)MathF.Round(edge, MidpointRounding.AwayFromZero);
}
