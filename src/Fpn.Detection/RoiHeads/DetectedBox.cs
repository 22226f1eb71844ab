using Fpn.Detection.Geometry;

namespace Fpn.Detection.RoiHeads;

/// <summary>One detected object.</summary>
/// <param name="Box">xyxy, original-image pixels, clipped to the original image.</param>
/// <param name="Score">Softmax of the class, 0 to 1.</param>
/// <param name="Label">The class without the background, counted from 0: an index into the model's labels.</param>
/// <param name="Proposal">Index of the proposal that it was made from.</param>
public readonly record struct DetectedBox(Box Box, float Score, int Label, int Proposal);
