using Fpn.Detection.Conventions;

namespace Fpn.Detection.Proposals;

/// <summary>How the RPN's outputs become proposals.</summary>
public sealed record ProposalOptions
{
    /// <summary>Options with torchvision's defaults.</summary>
    public ProposalOptions()
        : this(ConventionTable.Torchvision)
    {
    }

    /// <summary>Options with the defaults of a convention.</summary>
    public ProposalOptions(ConventionRules rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        PreNmsTopN = rules.PreNmsTopN;
        PostNmsTopN = rules.PostNmsTopN;
        NmsThreshold = rules.ProposalNmsThreshold;
        ScoreThreshold = rules.ProposalScoreThreshold;
        MinBoxSize = rules.MinProposalSize;
        MinBoxSizeInclusive = rules.MinProposalSizeInclusive;
        DropNonFinite = rules.DropNonFiniteProposals;
        Ranking = rules.ProposalRanking;
        MaxShiftedBoxes = rules.MaxShiftedBoxes;
    }

    /// <summary>Anchors kept per level, by logit, before decoding.</summary>
    public int PreNmsTopN { get; init; }

    /// <summary>Proposals kept per image over all levels together, after NMS.</summary>
    public int PostNmsTopN { get; init; }

    /// <summary>A proposal is removed when its IoU with a better one of its level is greater than this.</summary>
    public double NmsThreshold { get; init; }

    /// <summary>Proposals whose score (sigmoid) is at least this are kept.</summary>
    public float ScoreThreshold { get; init; }

    /// <summary>Shortest side of a proposal, in resized-image pixels.</summary>
    public float MinBoxSize { get; init; }

    /// <summary>Whether a side equal to <see cref="MinBoxSize"/> is long enough.</summary>
    public bool MinBoxSizeInclusive { get; init; }

    /// <summary>Whether a proposal with an infinite coordinate is dropped; otherwise it is clipped. NaN is always
    /// dropped.</summary>
    public bool DropNonFinite { get; init; }

    /// <summary>The numbers by which suppression orders proposals.</summary>
    public ProposalRanking Ranking { get; init; }

    /// <summary>Suppression shifts levels apart in float32 for up to this many boxes.</summary>
    public int MaxShiftedBoxes { get; init; }
}
