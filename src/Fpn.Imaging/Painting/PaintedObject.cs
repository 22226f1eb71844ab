using Fpn.Detection.Geometry;

namespace Fpn.Imaging.Painting;

/// <summary>One box to draw.</summary>
/// <param name="Box">xyxy in pixels of the picture; parts outside are not drawn.</param>
/// <param name="Caption">The text on the plate at the box.</param>
/// <param name="Class">The position of the class, from 0; determines the color.</param>
internal readonly record struct PaintedObject(Box Box, string Caption, int Class);
