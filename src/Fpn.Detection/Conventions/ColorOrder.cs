namespace Fpn.Detection.Conventions;

/// <summary>The order of the three color planes that a model expects.</summary>
public enum ColorOrder
{
    /// <summary>Red, green, blue (torchvision).</summary>
    Rgb,

    /// <summary>Blue, green, red (detectron2).</summary>
    Bgr,
}
