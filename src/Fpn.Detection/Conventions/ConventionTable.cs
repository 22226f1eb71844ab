using Fpn.Detection.Geometry;

namespace Fpn.Detection.Conventions;

/// <summary>The one table of conventions: a column of rules and defaults for each reference implementation.</summary>
/// <remarks>The only place that knows which implementation a rule belongs to, and that states a default. Immutable, so
/// thread-safe.</remarks>
public static class ConventionTable
{
    /// <summary>torchvision's rules; the default everywhere.</summary>
    public static ConventionRules Torchvision { get; } = new()
    {
        ColorOrder = ColorOrder.Rgb,
        PixelScale = 1f / 255,
        PixelMean = [0.485f, 0.456f, 0.406f],
        PixelStd = [0.229f, 0.224f, 0.225f],
        SizeRounding = SizeRounding.FloorFloat32,
        ResizeFilter = ResizeFilter.Bilinear,
        SizeDivisor = 32,
        AspectRatios = [0.5f, 1, 2],
        AnchorsRounded = true,
        AnchorOrder = AnchorOrder.RatioOuter,
        AnchorArithmetic = AnchorArithmetic.SinglePrecision,
        FinestAnchorStride = null,
        PreNmsTopN = 1000,
        PostNmsTopN = 1000,
        ProposalNmsThreshold = 0.7,
        ProposalScoreThreshold = 0,
        ProposalRanking = ProposalRanking.Score,
        MinProposalSize = 1e-3f,
        MinProposalSizeInclusive = true,
        DropNonFiniteProposals = false,
        MaxShiftedBoxes = 1000,
        CanonicalLevel = 4,
        CanonicalSize = 224,
        LevelEpsilon = LevelEpsilon.AfterLog,
        Background = BackgroundPosition.First,
        BoxDeltas = BoxDeltasLayout.PerClassWithBackground,
        BoxWeights = new BoxWeights(10, 10, 5, 5),
        DetectionScoreThreshold = 0.05f,
        DetectionNmsThreshold = 0.5,
        DetectionsPerImage = 100,
        MinDetectionSize = 1e-2f,
        DropNonFiniteDetections = false,
        DropEmptyDetections = false,
    };

    /// <summary>detectron2's rules: torchvision's but for what is listed.</summary>
    public static ConventionRules Detectron2 { get; } = Torchvision with
    {
        ColorOrder = ColorOrder.Bgr,
        PixelScale = 1,
        PixelMean = [103.53f, 116.28f, 123.675f],
        PixelStd = [1, 1, 1],
        SizeRounding = SizeRounding.RoundHalfUp,
        ResizeFilter = ResizeFilter.BilinearAntialias,
        AnchorsRounded = false,
        AnchorOrder = AnchorOrder.SizeOuter,
        AnchorArithmetic = AnchorArithmetic.DoublePrecision,
        FinestAnchorStride = 4,
        ProposalRanking = ProposalRanking.Logit,
        MinProposalSize = 0,
        MinProposalSizeInclusive = false,
        DropNonFiniteProposals = true,
        MaxShiftedBoxes = 40_000,
        LevelEpsilon = LevelEpsilon.InsideLog,
        Background = BackgroundPosition.Last,
        BoxDeltas = BoxDeltasLayout.PerClass,
        MinDetectionSize = 0,
        DropNonFiniteDetections = true,
        DropEmptyDetections = true,
    };

    /// <summary>The rules of a reference implementation.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The implementation is unknown.</exception>
    public static ConventionRules RulesFor(Convention convention) => convention switch
    {
        Convention.Torchvision => Torchvision,
        Convention.Detectron2 => Detectron2,
        _ => throw new ArgumentOutOfRangeException(nameof(convention), convention, "Unknown convention."),
    };
}
