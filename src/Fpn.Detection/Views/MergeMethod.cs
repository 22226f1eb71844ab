namespace Fpn.Detection.Views;

/// <summary>How the boxes of several views become one list. Boxes only meet boxes of their own class.</summary>
public enum MergeMethod
{
    /// <summary>Non-maximum suppression by IoU: the better box stays as it is. What detectron2's test-time augmentation
    /// does.</summary>
    Nms,

    /// <summary>Suppression, then each box that stays becomes the average of all boxes that overlap it by the merge
    /// threshold, weighted by their scores (box voting: Gidaris and Komodakis, arXiv:1505.01749).</summary>
    Voting,

    /// <summary>Suppression by IoS, the intersection over the smaller box: a part of an object goes, however small it
    /// is beside the whole. A box that a view's border cut grows to enclose what it removes.</summary>
    Ios,
}
