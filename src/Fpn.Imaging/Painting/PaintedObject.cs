using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Painting;

/// <summary>One box to draw.</summary>
/// <param name="Box">xyxy in pixels of the picture; what lies outside is not drawn.</param>
/// <param name="Caption">Stands on a plate at the box.</param>
/// <param name="Class">0 …: the same number has the same colour in every picture.</param>
internal readonly record struct PaintedObject(Box Box, string Caption, int Class);
