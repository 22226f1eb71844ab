namespace Fpn.Detection.RoiHeads;

/// <summary>A candidate that non-maximum suppression removed in favour of a detection.</summary>
/// <param name="Candidate">What would have been a detection.</param>
/// <param name="Detection">Index of the detection that removed it: the best one of its class that overlaps it too much.</param>
/// <param name="Iou">Intersection over union of the two in the resized image, greater than the threshold.</param>
public readonly record struct SuppressedBox(DetectedBox Candidate, int Detection, float Iou);
