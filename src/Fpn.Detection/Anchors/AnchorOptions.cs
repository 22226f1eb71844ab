using Fpn.Detection.Conventions;

namespace Fpn.Detection.Anchors;

/// <summary>One level of the pyramid as the RPN sees it.</summary>
/// <param name="Name">The level's name, such as <c>p2</c>; names its tensors.</param>
/// <param name="AnchorSizes">Square roots of the anchors' areas, in padded-input pixels; one a level in an FPN, several elsewhere.</param>
/// <param name="Pooled">Whether RoIs are pooled from this level too.</param>
/// <param name="Stride">Distance of neighbouring anchors in padded-input pixels, or null to derive it as padded size // grid size, an axis at a time.</param>
public sealed record PyramidLevel(string Name, IReadOnlyList<float> AnchorSizes, bool Pooled, int? Stride = null);

/// <summary>How anchors are laid out.</summary>
public sealed record AnchorOptions
{
    /// <summary>The levels, finest first.</summary>
    public required IReadOnlyList<PyramidLevel> Levels { get; init; }

    /// <summary>Height over width of the anchors in a cell.</summary>
    public IReadOnlyList<float> AspectRatios { get; init; } = [0.5f, 1f, 2f];

    /// <summary>Whether the cell's anchors are rounded, half to even (torchvision), or not (detectron2).</summary>
    public bool Rounded { get; init; } = true;

    /// <summary>Order of the anchors in a cell: torchvision's ratio outer, size inner, or detectron2's size outer, ratio inner.</summary>
    public Convention Convention { get; init; } = Convention.Torchvision;
}
