using Fpn.Detection.Geometry;

namespace Fpn.Detection.RoiHeads;

/// <summary>What the box head makes of one region.</summary>
/// <param name="Box">The region as refined for the best class: xyxy, original-image pixels, clipped to the
/// image.</param>
/// <param name="Label">That class, without background, 0 for the first; the smallest of several equal ones.</param>
/// <param name="Background">Softmax score of the background, 0 to 1.</param>
public readonly record struct ClassifiedBox(Box Box, int Label, float Background);
