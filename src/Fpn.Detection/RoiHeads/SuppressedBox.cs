namespace Fpn.Detection.RoiHeads;

/// <summary>A candidate that non-maximum suppression removed in favor of a detection.</summary>
/// <param name="Candidate">The candidate, as it would have been detected.</param>
/// <param name="Detection">Index of the detection that removed it: the best one of its class that overlaps it too
/// much.</param>
/// <param name="Iou">Intersection over union of the two in the resized image, greater than the threshold.</param>
public readonly record struct SuppressedBox(DetectedBox Candidate, int Detection, float Iou);
