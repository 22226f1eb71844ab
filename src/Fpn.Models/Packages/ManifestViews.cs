using Fpn.Detection.Views;

namespace Fpn.Models.Packages;

/// <summary>Reads which looks a model takes at an image: <c>views</c>.</summary>
internal static class ManifestViews
{
    /// <summary>Checks the entry.</summary>
    /// <param name="entry">As it was read; null for one look.</param>
    /// <param name="check">Checks values; its messages name file and key.</param>
    /// <param name="endToEnd">How an end-to-end graph is fed; null for two-stage models.</param>
    /// <exception cref="ModelPackageException">A value is wrong.</exception>
    public static ViewOptions Read(ModelManifest.ViewsEntry? entry, ManifestCheck check, EndToEndOptions? endToEnd)
    {
        if (entry is null)
        {
            return ViewOptions.OneView;
        }

        var defaults = ViewOptions.OneView;
        var views = defaults with
        {
            Overlap = check.Range(entry.Overlap, "views.overlap", defaults.Overlap, 0, ViewOptions.LargestOverlap),
            WholeImage = entry.WholeImage ?? defaults.WholeImage,
            Scales = entry.Scales ?? defaults.Scales,
            Flip = entry.Flip ?? defaults.Flip,
            Merge = check.Choice(
                entry.Merge,
                "views.merge",
                defaults.Merge,
                ("nms", MergeMethod.Nms),
                ("voting", MergeMethod.Voting),
                ("ios", MergeMethod.Ios)),
            MergeThreshold = entry.MergeThreshold is { } threshold
                ? check.Range(threshold, "views.mergeThreshold", null, 0.0, 1)
                : null,
        };
        if (entry.Slice is { } text)
        {
            check.That(ViewOptions.TryParseSlice(text, out var slice), "views.slice", ViewOptions.SliceRule);
            views = views with { Slice = slice };
        }

        check.That(
            views.Scales.All(ViewOptions.IsSide) && views.Scales.Count <= ViewOptions.MostScales,
            "views.scales",
            ViewOptions.ScalesRule);
        check.That(
            views.Scales.Count == 0 || endToEnd is not { ResizeInside: true },
            "views.scales",
            "must be absent, since the graph resizes images itself");
        return views;
    }
}
