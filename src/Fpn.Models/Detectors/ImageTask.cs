using Fpn.Detection.Proposals;

namespace Fpn.Models.Detectors;

/// <summary>What a model is asked about one image. The images of a batch share the backbone, whatever each of them is
/// asked.</summary>
internal abstract record ImageTask
{
    /// <summary>Finding the objects: both stages.</summary>
    public static ImageTask Detection { get; } = new DetectionTask();

    private sealed record DetectionTask : ImageTask;
}

/// <summary>Proposing regions: the first stage alone. For two-stage models.</summary>
/// <param name="Options">How the RPN's outputs become proposals: the model's own numbers, or the caller's.</param>
internal sealed record ProposalTask(ProposalOptions Options) : ImageTask;
