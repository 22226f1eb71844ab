using System.Text.Json;
using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;

namespace Fpn.Models.Packages;

/// <summary>The part of a manifest about levels, anchors and strides.</summary>
internal static class ManifestAnchors
{
    /// <summary>Reads the levels of a two-stage model.</summary>
    /// <exception cref="ModelPackageException">A value is missing or wrong.</exception>
    public static AnchorOptions Read(ModelManifest manifest, ManifestCheck check, ConventionRules rules)
    {
        var entries = check.Required(manifest.Levels, "levels");
        check.That(entries.Count is >= 1 and <= 16, "levels", "must hold from 1 to 16 levels");
        var strides = Strides(manifest.Anchors?.Strides, check, rules, entries.Count);
        var levels = new List<PyramidLevel>();
        for (var i = 0; i < entries.Count; i++)
        {
            var key = $"levels[{i}]";
            var entry = check.Required(entries[i], key);
            var name = check.Required(entry.Name, $"{key}.name");
            check.That(
                name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'),
                $"{key}.name",
                "must be letters, digits and '_'");
            check.That(levels.TrueForAll(level => level.Name != name), $"{key}.name", $"repeats '{name}'");
            var sizes = check.Required(entry.AnchorSizes, $"{key}.anchorSizes");
            check.That(
                sizes.Count is >= 1 and <= 64 && sizes.TrueForAll(size => size is > 0 and <= 65536),
                $"{key}.anchorSizes",
                "must hold from 1 to 64 sizes greater than 0 (pixels)");
            levels.Add(new PyramidLevel(name, sizes, check.Required(entry.Pooled, $"{key}.pooled"), strides?[i]));
        }

        check.That(levels.Exists(level => level.Pooled), "levels", "must hold at least one with pooled true");
        var ratios = manifest.AspectRatios ?? rules.AspectRatios;
        check.That(
            ratios.Count is >= 1 and <= 64 && ratios.All(ratio => ratio is > 0 and <= 1000),
            "aspectRatios",
            "must hold from 1 to 64 ratios greater than 0 (height over width)");
        return new AnchorOptions(rules)
        {
            Levels = levels,
            AspectRatios = ratios,
            Rounded = manifest.Anchors?.Rounded ?? rules.AnchorsRounded,
        };
    }

    /// <summary>Refuses keys of two-stage models where one graph decides everything.</summary>
    /// <exception cref="ModelPackageException">There is one.</exception>
    public static AnchorOptions RequireNone(ModelManifest manifest, ManifestCheck check)
    {
        check.That(manifest.Levels is null, "levels", "belongs to two-stage models");
        check.That(manifest.AspectRatios is null, "aspectRatios", "belongs to two-stage models");
        check.That(manifest.Anchors is null, "anchors", "belongs to two-stage models");
        check.That(manifest.Rpn is null, "rpn", "belongs to two-stage models");
        check.That(manifest.Roi is null, "roi", "belongs to two-stage models");
        return new AnchorOptions { Levels = [] };
    }

    /// <summary>A stride for each level, or null when they are derived.</summary>
    private static int[]? Strides(JsonElement? element, ManifestCheck check, ConventionRules rules, int levels)
    {
        const string Key = "anchors.strides";
        switch (element)
        {
            case null:
                return rules.FinestAnchorStride is int finest
                    ? [.. Enumerable.Range(0, levels).Select(level => finest << level)]
                    : null;
            case { ValueKind: JsonValueKind.String } text when text.GetString() == "derived":
                return null;
            case { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() == levels:
                var strides = new int[levels];
                for (var i = 0; i < levels; i++)
                {
                    check.That(
                        list[i].ValueKind == JsonValueKind.Number
                            && list[i].TryGetInt32(out strides[i])
                            && strides[i] is >= 1 and <= 4096,
                        $"{Key}[{i}]",
                        "must be a whole number from 1 to 4096");
                }

                return strides;
            default:
                throw check.Failure(
                    Key, $"must be \"derived\" or a list with a stride for each of the {levels} levels");
        }
    }
}
