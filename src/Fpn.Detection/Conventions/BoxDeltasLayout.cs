namespace Fpn.Detection.Conventions;

/// <summary>What the box head regresses.</summary>
public enum BoxDeltasLayout
{
    /// <summary>[R, 4 (C + 1)] in the order of the logits' columns: four deltas a class, the background's unused
    /// (torchvision).</summary>
    PerClassWithBackground,

    /// <summary>[R, 4 C]: four deltas a class (detectron2).</summary>
    PerClass,

    /// <summary>[R, 4]: one box for all classes.</summary>
    Agnostic,
}
