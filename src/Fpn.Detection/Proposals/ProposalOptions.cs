using Fpn.Detection.Conventions;

namespace Fpn.Detection.Proposals;

/// <summary>How the RPN's outputs become proposals.</summary>
public sealed record ProposalOptions
{
    /// <summary>Anchors kept per level, by logit, before decoding.</summary>
    public int PreNmsTopN { get; init; } = 1000;

    /// <summary>Proposals kept per image over all levels together, after NMS.</summary>
    public int PostNmsTopN { get; init; } = 1000;

    /// <summary>A proposal is removed when its IoU with a better one of its level is greater than this.</summary>
    public double NmsThreshold { get; init; } = 0.7;

    /// <summary>Proposals whose score (sigmoid) is at least this are kept.</summary>
    public float ScoreThreshold { get; init; }

    /// <summary>Shortest side of a proposal in resized-image pixels: kept when both sides are ≥ it (torchvision) or &gt; it (detectron2).</summary>
    public float MinBoxSize { get; init; } = 1e-3f;

    /// <summary>Which reference decides NMS order, shifting, small and non-finite boxes.</summary>
    public Convention Convention { get; init; } = Convention.Torchvision;
}
