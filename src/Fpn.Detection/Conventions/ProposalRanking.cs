namespace Fpn.Detection.Conventions;

/// <summary>The numbers by which non-maximum suppression orders proposals.</summary>
public enum ProposalRanking
{
    /// <summary>The float32 sigmoid of the objectness, where close logits can tie (torchvision).</summary>
    Score,

    /// <summary>The logits (detectron2).</summary>
    Logit,
}
