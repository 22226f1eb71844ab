namespace Fpn.Detection.Conventions;

/// <summary>The order of the anchors in a cell, S sizes and K aspect ratios.</summary>
public enum AnchorOrder
{
    /// <summary>Anchor k · S + s has ratio k and size s (torchvision).</summary>
    RatioOuter,

    /// <summary>Anchor s · K + k has size s and ratio k (detectron2).</summary>
    SizeOuter,
}
