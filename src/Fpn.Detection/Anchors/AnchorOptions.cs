using Fpn.Detection.Conventions;

namespace Fpn.Detection.Anchors;

/// <summary>How anchors are laid out.</summary>
public sealed record AnchorOptions
{
    /// <summary>Options with torchvision's defaults.</summary>
    public AnchorOptions()
        : this(ConventionTable.Torchvision)
    {
    }

    /// <summary>Options with the defaults of a convention.</summary>
    /// <remarks>Strides belong to <see cref="Levels"/>, which have no default.</remarks>
    public AnchorOptions(ConventionRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        AspectRatios = rules.AspectRatios;
        Rounded = rules.AnchorsRounded;
        Order = rules.AnchorOrder;
        Arithmetic = rules.AnchorArithmetic;
    }

    /// <summary>The levels, finest first.</summary>
    public required IReadOnlyList<PyramidLevel> Levels { get; init; }

    /// <summary>Height over width of the anchors in a cell.</summary>
    public IReadOnlyList<float> AspectRatios { get; init; }

    /// <summary>Whether the cell's anchors are rounded to whole pixels, half to even.</summary>
    public bool Rounded { get; init; }

    /// <summary>Order of the anchors in a cell.</summary>
    public AnchorOrder Order { get; init; }

    /// <summary>Precision of the anchors' sides.</summary>
    public AnchorArithmetic Arithmetic { get; init; }
}
