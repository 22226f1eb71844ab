namespace Fpn.Detection.Conventions;

/// <summary>How the sides of an anchor are computed from its size s and its aspect ratio k (height over
/// width).</summary>
public enum AnchorArithmetic
{
    /// <summary>In float32: height <c>sqrt(k) · s</c>, width <c>1 / sqrt(k) · s</c> (torchvision).</summary>
    SinglePrecision,

    /// <summary>In double, from the decimals as written: width <c>sqrt(s² / k)</c>, height <c>k · width</c>, both
    /// rounded to float32 at the end (detectron2).</summary>
    DoublePrecision,
}
