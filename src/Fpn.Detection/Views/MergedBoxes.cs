using Fpn.Detection.Geometry;

namespace Fpn.Detection.Views;

/// <summary>What <see cref="ViewMerger"/> made of the boxes of several views.</summary>
/// <param name="Kept">[K] index of each box that stays, best score first.</param>
/// <param name="Boxes">[K] what it became: xyxy in pixels of the image.</param>
/// <param name="Removers">[N] for each box of the input the place in <paramref name="Kept"/> of the box that removed
/// it, or −1: it stayed, or only the limit excluded it. Null unless it was asked for.</param>
public sealed record MergedBoxes(IReadOnlyList<int> Kept, IReadOnlyList<Box> Boxes, IReadOnlyList<int>? Removers);
