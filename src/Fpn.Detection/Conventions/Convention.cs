namespace Fpn.Detection.Conventions;

/// <summary>The reference implementation whose arithmetic a model was trained with.</summary>
/// <remarks>A name only: <see cref="ConventionTable.RulesFor"/> gives its rules, and nothing else compares
/// it.</remarks>
public enum Convention
{
    /// <summary>torchvision's <c>models/detection</c>.</summary>
    Torchvision,

    /// <summary>detectron2's <c>modeling/proposal_generator</c> and <c>modeling/roi_heads</c>.</summary>
    Detectron2,
}
