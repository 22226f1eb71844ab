namespace Fpn.Detection.Conventions;

/// <summary>Where the background stands among the class logits.</summary>
public enum BackgroundPosition
{
    /// <summary>Column 0 (torchvision).</summary>
    First,

    /// <summary>The last column (detectron2).</summary>
    Last,
}
