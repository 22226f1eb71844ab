namespace Fpn.Detection.Conventions;

/// <summary>The reference implementation whose arithmetic a model was trained with.</summary>
/// <remarks>
/// Most rows in which the two differ are single options of their own. This switch stands for the rest:
/// the order in which NMS takes equal proposals, when NMS shifts boxes by group, how small boxes are told,
/// and what happens to non-finite boxes.
/// </remarks>
public enum Convention
{
    /// <summary>torchvision's <c>models/detection</c>.</summary>
    Torchvision,

    /// <summary>detectron2's <c>modeling/proposal_generator</c> and <c>modeling/roi_heads</c>.</summary>
    Detectron2,
}
