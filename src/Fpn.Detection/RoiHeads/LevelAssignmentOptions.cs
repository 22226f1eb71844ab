using Fpn.Detection.Conventions;

namespace Fpn.Detection.RoiHeads;

/// <summary>Eq. 1 of the FPN paper (arXiv:1612.03144): which level a RoI is pooled from.</summary>
public sealed record LevelAssignmentOptions
{
    /// <summary>Options with torchvision's defaults.</summary>
    public LevelAssignmentOptions()
        : this(ConventionTable.Torchvision)
    {
    }

    /// <summary>Options with the defaults of a convention.</summary>
    public LevelAssignmentOptions(ConventionRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        CanonicalLevel = rules.CanonicalLevel;
        CanonicalSize = rules.CanonicalSize;
        Epsilon = rules.LevelEpsilon;
    }

    /// <summary>k0: the level of a RoI of the canonical size.</summary>
    public int CanonicalLevel { get; init; }

    /// <summary>s0: square root of the area of a RoI on the canonical level, in padded-input pixels.</summary>
    public float CanonicalSize { get; init; }

    /// <summary>Place of the epsilon in the formula.</summary>
    public LevelEpsilon Epsilon { get; init; }
}
