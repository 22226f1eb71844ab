namespace Fpn.Detection.Conventions;

/// <summary>How the resized sides become whole pixels.</summary>
public enum SizeRounding
{
    /// <summary>Scale computed in float32, product floored (torchvision).</summary>
    FloorFloat32,

    /// <summary>Computed in double, <c>floor(x + 0.5)</c> once at the end (detectron2).</summary>
    RoundHalfUp,
}
