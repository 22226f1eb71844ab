using Fpn.Detection.Geometry;

namespace Fpn.Detection.Proposals;

/// <summary>The anchor behind a proposal.</summary>
/// <param name="Box">xyxy, padded-input pixels (which are resized-image pixels), not clipped.</param>
/// <param name="Level">The RPN's level, 0 for the first.</param>
/// <param name="Size">Square root of the area that it was made from, padded-input pixels.</param>
/// <param name="AspectRatio">Height over width that it was made from.</param>
public readonly record struct ProposalAnchor(Box Box, int Level, float Size, float AspectRatio);
