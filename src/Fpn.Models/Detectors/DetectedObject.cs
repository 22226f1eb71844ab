using Fpn.Detection.Geometry;

namespace Fpn.Models.Detectors;

/// <summary>One detection.</summary>
/// <param name="Box">xyxy in pixels of the original image as displayed, clipped to it.</param>
/// <param name="Score">Softmax score, 0 to 1.</param>
/// <param name="Label">Index into the model's labels.</param>
/// <param name="Level">Name of the level that the RoI was pooled from; null for end-to-end models.</param>
internal readonly record struct DetectedObject(Box Box, float Score, int Label, string? Level);
