using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;

namespace Fpn.Detection.Tests.Conventions;

/// <summary>The values of both columns, and that options take theirs from the table.</summary>
public class ConventionTableTests
{
    private static readonly ConventionRules Torchvision = ConventionTable.Torchvision;
    private static readonly ConventionRules Detectron2 = ConventionTable.Detectron2;
    private static readonly float[] s_ratios = [0.5f, 1, 2];
    private static readonly float[] s_torchvisionMean = [0.485f, 0.456f, 0.406f];
    private static readonly float[] s_torchvisionStd = [0.229f, 0.224f, 0.225f];
    private static readonly float[] s_detectron2Mean = [103.53f, 116.28f, 123.675f];
    private static readonly float[] s_detectron2Std = [1, 1, 1];

    /// <summary>The rows in which the two agree.</summary>
    public static TheoryData<string, object> Common => new()
    {
        { nameof(ConventionRules.SizeDivisor), 32 },
        { nameof(ConventionRules.AspectRatios), s_ratios },
        { nameof(ConventionRules.PreNmsTopN), 1000 },
        { nameof(ConventionRules.PostNmsTopN), 1000 },
        { nameof(ConventionRules.ProposalNmsThreshold), 0.7 },
        { nameof(ConventionRules.ProposalScoreThreshold), 0f },
        { nameof(ConventionRules.CanonicalLevel), 4 },
        { nameof(ConventionRules.CanonicalSize), 224f },
        { nameof(ConventionRules.BoxWeights), new BoxWeights(10, 10, 5, 5) },
        { nameof(ConventionRules.DetectionScoreThreshold), 0.05f },
        { nameof(ConventionRules.DetectionNmsThreshold), 0.5 },
        { nameof(ConventionRules.DetectionsPerImage), 100 },
    };

    /// <summary>The rows in which they differ: torchvision's value, then detectron2's.</summary>
    public static TheoryData<string, object?, object?> Different => new()
    {
        { nameof(ConventionRules.ColorOrder), ColorOrder.Rgb, ColorOrder.Bgr },
        { nameof(ConventionRules.PixelScale), 1f / 255, 1f },
        { nameof(ConventionRules.PixelMean), s_torchvisionMean, s_detectron2Mean },
        { nameof(ConventionRules.PixelStd), s_torchvisionStd, s_detectron2Std },
        { nameof(ConventionRules.SizeRounding), SizeRounding.FloorFloat32, SizeRounding.RoundHalfUp },
        { nameof(ConventionRules.ResizeFilter), ResizeFilter.Bilinear, ResizeFilter.BilinearAntialias },
        { nameof(ConventionRules.AnchorsRounded), true, false },
        { nameof(ConventionRules.AnchorOrder), AnchorOrder.RatioOuter, AnchorOrder.SizeOuter },
        {
            nameof(ConventionRules.AnchorArithmetic),
            AnchorArithmetic.SinglePrecision,
            AnchorArithmetic.DoublePrecision
        },
        { nameof(ConventionRules.FinestAnchorStride), null, 4 },
        { nameof(ConventionRules.ProposalRanking), ProposalRanking.Score, ProposalRanking.Logit },
        { nameof(ConventionRules.MinProposalSize), 1e-3f, 0f },
        { nameof(ConventionRules.MinProposalSizeInclusive), true, false },
        { nameof(ConventionRules.DropNonFiniteProposals), false, true },
        { nameof(ConventionRules.MaxShiftedBoxes), 1000, 40_000 },
        { nameof(ConventionRules.LevelEpsilon), LevelEpsilon.AfterLog, LevelEpsilon.InsideLog },
        { nameof(ConventionRules.Background), BackgroundPosition.First, BackgroundPosition.Last },
        { nameof(ConventionRules.BoxDeltas), BoxDeltasLayout.PerClassWithBackground, BoxDeltasLayout.PerClass },
        { nameof(ConventionRules.MinDetectionSize), 1e-2f, 0f },
        { nameof(ConventionRules.DropNonFiniteDetections), false, true },
        { nameof(ConventionRules.DropEmptyDetections), false, true },
    };

    [Theory]
    [MemberData(nameof(Common))]
    public void Rule_CommonToBoth_HasTheValue(string rule, object value)
    {
        Assert.Equal(value, Value(Torchvision, rule));
        Assert.Equal(value, Value(Detectron2, rule));
    }

    [Theory]
    [MemberData(nameof(Different))]
    public void Rule_OfEachConvention_HasTheValue(string rule, object? torchvision, object? detectron2)
    {
        Assert.Equal(torchvision, Value(Torchvision, rule));
        Assert.Equal(detectron2, Value(Detectron2, rule));
        Assert.NotEqual(torchvision, detectron2);
    }

    [Fact]
    public void Rules_All_AreHeldToAValueAbove()
    {
        IEnumerable<string> held =
            [.. Common.Select(row => row.Data.Item1), .. Different.Select(row => row.Data.Item1)];
        Assert.Equal(typeof(ConventionRules).GetProperties().Select(rule => rule.Name).Order(), held.Order());
    }

    [Fact]
    public void RulesFor_EachConvention_IsItsColumn()
    {
        Assert.Same(Torchvision, ConventionTable.RulesFor(Convention.Torchvision));
        Assert.Same(Detectron2, ConventionTable.RulesFor(Convention.Detectron2));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConventionTable.RulesFor((Convention)2));
    }

    [Fact]
    public void Options_WithoutRules_AreTorchvisions()
    {
        Assert.Equal(new InputOptions(Torchvision) { MinSize = 1, MaxSize = 1 }, new() { MinSize = 1, MaxSize = 1 });
        PyramidLevel[] levels = [];
        Assert.Equal(new AnchorOptions(Torchvision) { Levels = levels }, new() { Levels = levels });
        Assert.Equal(new ProposalOptions(Torchvision), new());
        Assert.Equal(new LevelAssignmentOptions(Torchvision), new());
        Assert.Equal(new RoiHeadsOptions(Torchvision) { Classes = 1 }, new() { Classes = 1 });
    }

    [Theory]
    [InlineData(Convention.Torchvision)]
    [InlineData(Convention.Detectron2)]
    public void Options_WithRules_TakeEveryRule(Convention convention)
    {
        var rules = ConventionTable.RulesFor(convention);
        InputOptions input = new(rules) { MinSize = 1, MaxSize = 1 };
        Assert.Equal(
            (rules.SizeDivisor, rules.SizeRounding, rules.ResizeFilter, rules.ColorOrder, rules.PixelScale),
            (input.SizeDivisor, input.SizeRounding, input.Resize, input.ColorOrder, input.Scale));
        Assert.Equal((rules.PixelMean, rules.PixelStd), (input.Mean, input.Std));

        AnchorOptions anchors = new(rules) { Levels = [] };
        Assert.Equal(
            (rules.AspectRatios, rules.AnchorsRounded, rules.AnchorOrder, rules.AnchorArithmetic),
            (anchors.AspectRatios, anchors.Rounded, anchors.Order, anchors.Arithmetic));

        ProposalOptions proposals = new(rules);
        Assert.Equal(
            (rules.PreNmsTopN, rules.PostNmsTopN, rules.ProposalNmsThreshold, rules.ProposalScoreThreshold),
            (proposals.PreNmsTopN, proposals.PostNmsTopN, proposals.NmsThreshold, proposals.ScoreThreshold));
        Assert.Equal(
            (rules.MinProposalSize, rules.MinProposalSizeInclusive, rules.DropNonFiniteProposals),
            (proposals.MinBoxSize, proposals.MinBoxSizeInclusive, proposals.DropNonFinite));
        Assert.Equal(
            (rules.ProposalRanking, rules.MaxShiftedBoxes), (proposals.Ranking, proposals.MaxShiftedBoxes));

        LevelAssignmentOptions levels = new(rules);
        Assert.Equal(
            (rules.CanonicalLevel, rules.CanonicalSize, rules.LevelEpsilon),
            (levels.CanonicalLevel, levels.CanonicalSize, levels.Epsilon));

        RoiHeadsOptions heads = new(rules) { Classes = 1 };
        Assert.Equal(
            (rules.Background, rules.BoxDeltas, rules.BoxWeights, rules.DetectionScoreThreshold),
            (heads.Background, heads.BoxDeltas, heads.BoxWeights, heads.ScoreThreshold));
        Assert.Equal(
            (rules.DetectionNmsThreshold, rules.DetectionsPerImage, rules.MinDetectionSize),
            (heads.NmsThreshold, heads.DetectionsPerImage, heads.MinBoxSize));
        Assert.Equal(
            (rules.DropNonFiniteDetections, rules.DropEmptyDetections, rules.MaxShiftedBoxes),
            (heads.DropNonFinite, heads.DropEmpty, heads.MaxShiftedBoxes));
    }

    private static object? Value(ConventionRules rules, string rule) =>
        typeof(ConventionRules).GetProperty(rule)!.GetValue(rules);
}
