using Fpn.Detection.Geometry;

namespace Fpn.Detection.Views;

/// <summary>A box that a view found.</summary>
/// <param name="Box">xyxy in pixels of the image, finite.</param>
/// <param name="Score">The order in which boxes are taken; not NaN.</param>
/// <param name="Label">Its class, counted from 0.</param>
/// <param name="IsCut">Whether it ends where its view does (<see cref="View.Cuts"/>).</param>
public readonly record struct ViewBox(Box Box, float Score, int Label, bool IsCut);
