namespace Fpn.Models.Packages;

/// <summary>What <c>model.json</c> says, word for word; null where it says nothing. <see cref="ModelContract"/> is what
/// it means.</summary>
internal sealed record ModelManifest
{
    public string? Name { get; init; }
    public string? Version { get; init; }
    public string? Layout { get; init; }
    public string? Convention { get; init; }
    public string? Description { get; init; }
    public string? License { get; init; }
    public string? Source { get; init; }
    public Dictionary<string, FileEntry>? Files { get; init; }
    public InputEntry? Input { get; init; }
    public List<LevelEntry>? Levels { get; init; }
    public List<float>? AspectRatios { get; init; }
    public AnchorsEntry? Anchors { get; init; }
    public RpnEntry? Rpn { get; init; }
    public RoiEntry? Roi { get; init; }
    public DetectionEntry? Detection { get; init; }
    public EndToEndEntry? EndToEnd { get; init; }
    public ViewsEntry? Views { get; init; }
    public List<string>? Labels { get; init; }
    public List<int>? ClassIds { get; init; }

    internal sealed record FileEntry(string? Path, string? Sha256);

    internal sealed record InputEntry
    {
        public int? MinSize { get; init; }
        public int? MaxSize { get; init; }
        public int? SizeDivisor { get; init; }
        public string? ColorOrder { get; init; }
        public float? Scale { get; init; }
        public List<float>? Mean { get; init; }
        public List<float>? Std { get; init; }
        public string? Resize { get; init; }
        public string? SizeRounding { get; init; }
    }

    internal sealed record LevelEntry(string? Name, List<float>? AnchorSizes, bool? Pooled);

    /// <param name="Rounded">Whether the cell's anchors are rounded.</param>
    /// <param name="Strides"><c>"derived"</c> or a list with a stride for each level.</param>
    internal sealed record AnchorsEntry(bool? Rounded, System.Text.Json.JsonElement? Strides);

    internal sealed record RpnEntry
    {
        public int? PreNmsTopN { get; init; }
        public int? PostNmsTopN { get; init; }
        public double? NmsThreshold { get; init; }
        public float? ScoreThreshold { get; init; }
        public float? MinBoxSize { get; init; }
    }

    internal sealed record RoiEntry(int? CanonicalLevel, float? CanonicalSize, string? Epsilon);

    internal sealed record DetectionEntry
    {
        public float? ScoreThreshold { get; init; }
        public double? NmsThreshold { get; init; }
        public int? MaxDetections { get; init; }
        public List<float>? BoxWeights { get; init; }
        public string? Background { get; init; }
        public string? BoxDeltas { get; init; }
        public float? MinBoxSize { get; init; }
    }

    internal sealed record ViewsEntry
    {
        public string? Slice { get; init; }
        public double? Overlap { get; init; }
        public bool? WholeImage { get; init; }
        public List<int>? Scales { get; init; }
        public bool? Flip { get; init; }
        public string? Merge { get; init; }
        public double? MergeThreshold { get; init; }
    }

    internal sealed record EndToEndEntry
    {
        public string? Input { get; init; }
        public int? Rank { get; init; }
        public bool? ResizeInside { get; init; }
        public string? Boxes { get; init; }
        public string? Labels { get; init; }
        public string? Scores { get; init; }
        public string? BoxSpace { get; init; }
    }
}
