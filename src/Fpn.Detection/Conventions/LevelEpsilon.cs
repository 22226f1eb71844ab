namespace Fpn.Detection.Conventions;

/// <summary>How the pooled level of a RoI is computed.</summary>
public enum LevelEpsilon
{
    /// <summary><c>floor(k0 + log2(sqrt(area) / s0) + 1e-6)</c> (torchvision).</summary>
    AfterLog,

    /// <summary><c>floor(k0 + log2(sqrt(area) / s0 + 1e-8))</c> (detectron2).</summary>
    InsideLog,
}
