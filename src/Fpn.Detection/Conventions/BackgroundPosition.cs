namespace Fpn.Detection.Conventions;

/// <summary>Position of the background among the class logits.</summary>
public enum BackgroundPosition
{
    /// <summary>Column 0 (torchvision).</summary>
    First,

    /// <summary>The last column (detectron2).</summary>
    Last,
}
