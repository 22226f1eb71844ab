namespace Fpn.Models.Detectors;

/// <summary>What the graphs gave for a batch; detections are chosen from it, image by image.</summary>
internal abstract class InferredBatch : IDisposable
{
    /// <summary>Where the time of the run went.</summary>
    public InferenceTimes Times { get; init; }

    /// <summary>Chooses the detections of one image: best score first, then smaller label, then proposal
    /// order.</summary>
    /// <param name="image">Its place in the batch.</param>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    public abstract DetectedObject[] Select(int image);

    /// <summary>Chooses the detections of one image as <see cref="Select"/> does, and says how; for two-stage
    /// models.</summary>
    /// <param name="image">Its place in the batch.</param>
    /// <exception cref="NotSupportedException">All was decided inside the graph.</exception>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    public virtual Explanation Explain(int image) => throw DecidesInside();

    /// <summary>Lists the proposals of one image, best objectness first; for two-stage models.</summary>
    /// <param name="image">Its place in the batch; its task is a <see cref="ProposalTask"/> or detection.</param>
    /// <exception cref="NotSupportedException">All was decided inside the graph.</exception>
    public virtual ExplainedProposal[] Propose(int image) => throw DecidesInside();

    /// <summary>Classifies the regions that one image's task gives; for two-stage models.</summary>
    /// <param name="image">Its place in the batch.</param>
    /// <param name="task">The image's task.</param>
    /// <returns>One for each box of the task, in their order; null for those with a fault.</returns>
    /// <exception cref="NotSupportedException">All was decided inside the graph.</exception>
    /// <exception cref="Fpn.Detection.Tensors.NonFiniteOutputException">The model gave NaN or infinity.</exception>
    public virtual ClassifiedRegion?[] Classify(int image, RegionTask task) => throw DecidesInside();

    /// <summary>Gives native memory and workspaces back.</summary>
    public abstract void Dispose();

    private static NotSupportedException DecidesInside() => new("This model decides inside its graph.");
}
