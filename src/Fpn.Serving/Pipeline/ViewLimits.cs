namespace Fpn.Serving.Pipeline;

/// <summary>The most that looking at an image several times may cost.</summary>
/// <param name="MaxViews">Views of one image.</param>
/// <param name="MaxViewPixels">Pixels of a view that a scale was asked for, after resizing and padding.</param>
internal sealed record ViewLimits(int MaxViews, long MaxViewPixels);
