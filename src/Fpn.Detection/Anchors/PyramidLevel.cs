namespace Fpn.Detection.Anchors;

/// <summary>One level of the pyramid as the RPN sees it.</summary>
/// <param name="Name">The level's name, such as <c>p2</c>; part of the names of its tensors.</param>
/// <param name="AnchorSizes">Square roots of the anchors' areas, in padded-input pixels; one per level in an FPN,
/// several elsewhere.</param>
/// <param name="Pooled">Whether RoIs are pooled from this level too.</param>
/// <param name="Stride">Distance of neighboring anchors in padded-input pixels, or null to derive it as padded size //
/// grid size, per axis.</param>
public sealed record PyramidLevel(string Name, IReadOnlyList<float> AnchorSizes, bool Pooled, int? Stride = null);
