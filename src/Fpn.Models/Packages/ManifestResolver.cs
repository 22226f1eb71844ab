using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;

namespace Fpn.Models.Packages;

/// <summary>Turns a manifest into a contract: every value is checked, and the convention fills in what is
/// absent.</summary>
internal static class ManifestResolver
{
    /// <summary>Stands for a class id that a model has a column for but that no class uses; the only label that may
    /// repeat.</summary>
    public const string PlaceholderLabel = "N/A";

    /// <summary>Checks a manifest and fills in the defaults of its convention.</summary>
    /// <param name="manifest">As it was read.</param>
    /// <param name="check">Checks values; its messages name file and key.</param>
    /// <param name="folder">The package's folder.</param>
    /// <exception cref="ModelPackageException">A value is missing or wrong.</exception>
    public static ModelContract Resolve(ModelManifest manifest, ManifestCheck check, string folder)
    {
        var name = check.Required(manifest.Name, "name");
        check.That(ModelManifestReader.CanName(name), "name", ModelManifestReader.NameRule);
        var layout = check.Choice(
            manifest.Layout,
            "layout",
            ModelLayout.TwoStage,
            ("two-stage", ModelLayout.TwoStage),
            ("end-to-end", ModelLayout.EndToEnd));
        var convention = check.Choice(
            manifest.Convention,
            "convention",
            Convention.Torchvision,
            ("torchvision", Convention.Torchvision),
            ("detectron2", Convention.Detectron2));
        var rules = ConventionTable.RulesFor(convention);

        var labels = check.Required(manifest.Labels, "labels");
        check.That(labels.Count is >= 1 and <= 100_000, "labels", "must name from 1 to 100000 classes");
        check.That(
            labels.TrueForAll(label => !string.IsNullOrWhiteSpace(label)), "labels", "must not hold an empty name");
        var repeated = labels.GroupBy(label => label)
            .FirstOrDefault(group => group.Count() > 1 && group.Key != PlaceholderLabel);
        check.That(repeated is null, "labels", $"names '{repeated?.Key}' twice (only '{PlaceholderLabel}' may repeat)");
        var classIds = manifest.ClassIds ?? [.. Enumerable.Range(1, labels.Count)];
        check.That(
            classIds.Count == labels.Count,
            "classIds",
            $"must hold a number for each of the {labels.Count} labels; it holds {classIds.Count}");

        var endToEnd = EndToEnd(manifest.EndToEnd, check, layout);
        return new ModelContract
        {
            Name = name,
            Version = check.Required(manifest.Version, "version"),
            Layout = layout,
            Convention = convention,
            Description = manifest.Description,
            License = manifest.License,
            Source = manifest.Source,
            Files = Files(manifest, check, folder, layout),
            Input = Input(manifest.Input, check, rules),
            Anchors = layout == ModelLayout.TwoStage
                ? ManifestAnchors.Read(manifest, check, rules)
                : ManifestAnchors.RequireNone(manifest, check),
            Proposals = Proposals(manifest.Rpn ?? new(), check, rules),
            LevelAssignment = LevelAssignment(manifest.Roi, check, rules),
            RoiHeads = RoiHeads(manifest.Detection ?? new(), check, rules, labels.Count),
            EndToEnd = endToEnd,
            Views = ManifestViews.Read(manifest.Views, check, endToEnd),
            Labels = labels,
            ClassIds = classIds,
        };
    }

    private static Dictionary<string, GraphFile> Files(
        ModelManifest manifest, ManifestCheck check, string folder, ModelLayout layout)
    {
        string[] roles = layout == ModelLayout.TwoStage ? ["backbone", "head"] : ["model"];
        var entries = check.Required(manifest.Files, "files");
        foreach (var role in entries.Keys)
        {
            check.That(
                roles.Contains(role), $"files.{role}", $"is unknown; this layout has {string.Join(" and ", roles)}");
        }

        var files = new Dictionary<string, GraphFile>();
        foreach (var role in roles)
        {
            var key = $"files.{role}";
            var entry = check.Required(entries.GetValueOrDefault(role), key);
            var relative = check.Required(entry.Path, $"{key}.path");
            var sha256 = check.Required(entry.Sha256, $"{key}.sha256");
            check.That(
                sha256.Length == 64 && sha256.All(char.IsAsciiHexDigit),
                $"{key}.sha256",
                "must be 64 hexadecimal digits");
            var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;
            var full = Path.GetFullPath(Path.Combine(root, relative));
            check.That(
                full.StartsWith(root, StringComparison.Ordinal),
                $"{key}.path",
                $"must lie inside the package; it is '{relative}'");
            check.That(File.Exists(full), $"{key}.path", $"names '{relative}', which does not exist");
            files.Add(role, new GraphFile(full, sha256.ToLowerInvariant(), key));
        }

        return files;
    }

    private static InputOptions Input(ModelManifest.InputEntry? entry, ManifestCheck check, ConventionRules rules)
    {
        entry = check.Required(entry, "input");
        var mean = entry.Mean ?? rules.PixelMean;
        var std = entry.Std ?? rules.PixelStd;
        check.That(mean.Count == 3 && mean.All(float.IsFinite), "input.mean", "must hold three numbers");
        check.That(
            std.Count == 3 && std.All(value => float.IsFinite(value) && value > 0),
            "input.std",
            "must hold three numbers greater than 0");
        var minSize = check.Range(entry.MinSize, "input.minSize", null, 1, 8192);
        return new InputOptions(rules)
        {
            MinSize = minSize,
            MaxSize = check.Range(entry.MaxSize, "input.maxSize", null, minSize, 16384),
            SizeDivisor = check.Range(entry.SizeDivisor, "input.sizeDivisor", rules.SizeDivisor, 1, 1024),
            ColorOrder = check.Choice(
                entry.ColorOrder,
                "input.colorOrder",
                rules.ColorOrder,
                ("rgb", ColorOrder.Rgb),
                ("bgr", ColorOrder.Bgr)),
            Scale = check.Range(entry.Scale, "input.scale", rules.PixelScale, 1e-6f, 1e6f),
            Mean = mean,
            Std = std,
            Resize = check.Choice(
                entry.Resize,
                "input.resize",
                rules.ResizeFilter,
                ("bilinear", ResizeFilter.Bilinear),
                ("bilinear-antialias", ResizeFilter.BilinearAntialias)),
            SizeRounding = check.Choice(
                entry.SizeRounding,
                "input.sizeRounding",
                rules.SizeRounding,
                ("floor-float32", SizeRounding.FloorFloat32),
                ("round-half-up", SizeRounding.RoundHalfUp)),
        };
    }

    private static ProposalOptions Proposals(
        ModelManifest.RpnEntry entry, ManifestCheck check, ConventionRules rules) => new(rules)
        {
            PreNmsTopN = check.Range(entry.PreNmsTopN, "rpn.preNmsTopN", rules.PreNmsTopN, 1, 100_000),
            PostNmsTopN = check.Range(entry.PostNmsTopN, "rpn.postNmsTopN", rules.PostNmsTopN, 1, 100_000),
            NmsThreshold = check.Range(entry.NmsThreshold, "rpn.nmsThreshold", rules.ProposalNmsThreshold, 0, 1),
            ScoreThreshold = check.Range(
                entry.ScoreThreshold, "rpn.scoreThreshold", rules.ProposalScoreThreshold, 0, 1),
            MinBoxSize = check.Range(entry.MinBoxSize, "rpn.minBoxSize", rules.MinProposalSize, 0, 1e6f),
        };

    private static LevelAssignmentOptions LevelAssignment(
        ModelManifest.RoiEntry? entry, ManifestCheck check, ConventionRules rules) => new(rules)
        {
            CanonicalLevel = check.Range(entry?.CanonicalLevel, "roi.canonicalLevel", rules.CanonicalLevel, 0, 16),
            CanonicalSize = check.Range(entry?.CanonicalSize, "roi.canonicalSize", rules.CanonicalSize, 1, 1e6f),
            Epsilon = check.Choice(
            entry?.Epsilon,
            "roi.epsilon",
            rules.LevelEpsilon,
            ("after-log", LevelEpsilon.AfterLog),
            ("inside-log", LevelEpsilon.InsideLog)),
        };

    private static RoiHeadsOptions RoiHeads(
        ModelManifest.DetectionEntry entry, ManifestCheck check, ConventionRules rules, int classes) => new(rules)
        {
            Classes = classes,
            Background = check.Choice(
            entry.Background,
            "detection.background",
            rules.Background,
            ("first", BackgroundPosition.First),
            ("last", BackgroundPosition.Last)),
            BoxDeltas = check.Choice(
            entry.BoxDeltas,
            "detection.boxDeltas",
            rules.BoxDeltas,
            ("per-class-with-background", BoxDeltasLayout.PerClassWithBackground),
            ("per-class", BoxDeltasLayout.PerClass),
            ("agnostic", BoxDeltasLayout.Agnostic)),
            BoxWeights = Weights(entry.BoxWeights, check) ?? rules.BoxWeights,
            ScoreThreshold = check.Range(
            entry.ScoreThreshold, "detection.scoreThreshold", rules.DetectionScoreThreshold, 0, 1),
            NmsThreshold = check.Range(entry.NmsThreshold, "detection.nmsThreshold", rules.DetectionNmsThreshold, 0, 1),
            DetectionsPerImage = check.Range(
            entry.MaxDetections, "detection.maxDetections", rules.DetectionsPerImage, 1, 100_000),
            MinBoxSize = check.Range(entry.MinBoxSize, "detection.minBoxSize", rules.MinDetectionSize, 0, 1e6f),
        };

    private static BoxWeights? Weights(List<float>? weights, ManifestCheck check)
    {
        if (weights is null)
        {
            return null;
        }

        check.That(
            weights.Count == 4 && weights.TrueForAll(weight => float.IsFinite(weight) && weight > 0),
            "detection.boxWeights",
            "must hold four numbers greater than 0");
        return new BoxWeights(weights[0], weights[1], weights[2], weights[3]);
    }

    private static EndToEndOptions? EndToEnd(
        ModelManifest.EndToEndEntry? entry, ManifestCheck check, ModelLayout layout)
    {
        if (layout == ModelLayout.TwoStage)
        {
            check.That(entry is null, "endToEnd", "belongs to the layout \"end-to-end\"");
            return null;
        }

        entry ??= new();
        var resizeInside = entry.ResizeInside ?? true;
        return new EndToEndOptions(
            entry.Input ?? "image",
            check.Range(entry.Rank, "endToEnd.rank", 3, 3, 4),
            resizeInside,
            entry.Boxes ?? "boxes",
            entry.Labels ?? "labels",
            entry.Scores ?? "scores",
            check.Choice(entry.BoxSpace, "endToEnd.boxSpace", resizeInside, ("original", true), ("resized", false)));
    }
}
