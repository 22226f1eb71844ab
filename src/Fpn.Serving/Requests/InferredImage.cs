using Fpn.Models.Detectors;

namespace Fpn.Serving.Requests;

/// <summary>The outcome of a batch for one of its images.</summary>
/// <param name="Detections">Best first; empty where something else was asked.</param>
/// <param name="Run">The batch.</param>
/// <param name="Postprocess">Choice of this image's detections.</param>
internal sealed record InferredImage(IReadOnlyList<DetectedObject> Detections, BatchRun Run, StageSpan Postprocess)
{
    /// <summary>Images that shared the run.</summary>
    public int BatchSize => Run.Size;

    /// <summary>How it came about, for a request that asked.</summary>
    public Explanation? Explanation { get; init; }

    /// <summary>The proposals, best objectness first, for a request that asked for them alone.</summary>
    public IReadOnlyList<ExplainedProposal>? Proposals { get; init; }

    /// <summary>What became of each given region, for a request that gave some; null for those with a fault.</summary>
    public IReadOnlyList<ClassifiedRegion?>? Regions { get; init; }
}
