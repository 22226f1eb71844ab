using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;

namespace Fpn.Detection.Tests.Proposals;

/// <summary>Whole proposal selection against the slow reference.</summary>
public class ProposalSelectorOracleTests
{
    private static readonly ImageSize Padded = new(224, 320);
    private static readonly ImageSize Resized = new(215, 300);

    private static readonly ImageSize[] Pyramid =
        [new(56, 80), new(28, 40), new(14, 20), new(7, 10), new(4, 5)];

    [Theory]
    [InlineData("random")]
    [InlineData("ties")]
    [InlineData("equal")]
    [InlineData("ascending")]
    [InlineData("saturated")]
    [InlineData("degenerate")]
    [InlineData("identical boxes")]
    public void Complete_Pyramid_EqualsReference(string kind)
    {
        foreach (var rules in new[] { ConventionTable.Torchvision, ConventionTable.Detectron2 })
        {
            var outputs = Make(RpnOutputs.Fpn(rules), Pyramid, kind, seed: 1);
            ProposalOptions options = new(rules);
            AssertEqual(outputs, options);
            AssertEqual(outputs, options with { PreNmsTopN = 150, PostNmsTopN = 60 });
            AssertEqual(outputs, options with { NmsThreshold = 0.3, ScoreThreshold = 0.3f });
            AssertEqual(outputs, options with { ScoreThreshold = 1.01f });
            AssertEqual(outputs, options with { MinBoxSize = 20 });
        }
    }

    [Fact]
    public void Complete_MobileNetLevels_EqualsReference()
    {
        AnchorGenerator anchors = new(new AnchorOptions
        {
            Levels = [.. Enumerable.Range(0, 3).Select(i => new PyramidLevel($"{i}", [32, 64, 128, 256, 512], i < 2))],
        });
        ImageSize[] grids = [new(7, 10), new(7, 10), new(4, 5)];
        foreach (var kind in new[] { "random", "ties" })
        {
            var outputs = Make(anchors, grids, kind, seed: 2);
            AssertEqual(outputs, new ProposalOptions { PreNmsTopN = 150, PostNmsTopN = 150, ScoreThreshold = 0.05f });
            AssertEqual(outputs, new ProposalOptions { ScoreThreshold = 0.05f });
        }
    }

    [Theory]
    [InlineData(Convention.Torchvision)]
    [InlineData(Convention.Detectron2)]
    public void Complete_SingleMapOrEmptyLevels_EqualsReference(Convention convention)
    {
        var rules = ConventionTable.RulesFor(convention);
        ProposalOptions options = new(rules);
        AnchorGenerator c4 = new(new AnchorOptions(rules)
        {
            Levels = [new("c4", [32, 64, 128, 256, 512], true, 16)],
        });
        AssertEqual(Make(c4, [new ImageSize(14, 20)], "random", seed: 3), options);
        AssertEqual(
            Make(RpnOutputs.Fpn(rules), [new(56, 80), new(0, 40), new(14, 20), new(0, 0), new(1, 1)], "ties", seed: 4),
            options);
    }

    [Fact]
    public void Complete_SteadyState_AllocatesNothing()
    {
        foreach (var rules in new[] { ConventionTable.Torchvision, ConventionTable.Detectron2 })
        {
            var outputs = Make(RpnOutputs.Fpn(rules), Pyramid, "random", seed: 6);
            ProposalSelector selector = new(new ProposalOptions(rules), outputs.Anchors);
            ProposalList proposals = new();
            outputs.Run(selector, Resized, proposals);
            outputs.Run(selector, Resized, proposals);
            var before = GC.GetAllocatedBytesForCurrentThread();
            outputs.Run(selector, Resized, proposals);
            Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
            Assert.NotEqual(0, proposals.Count);
        }
    }

    private static RpnOutputs Make(AnchorGenerator anchors, ImageSize[] grids, string kind, int seed)
    {
        RandomTensors random = new(seed);
        Func<int, float[]> objectness = kind switch
        {
            "ties" => count => random.Coarse(count, 4),
            "equal" => count => new float[count],
            "ascending" => count => [.. Enumerable.Range(0, count).Select(i => i * 1e-3f - 3)],
            "saturated" => count => random.Normal(count, 25, 10),
            _ => count => random.Normal(count, -1, 2),
        };
        Func<int, float[]> deltas = kind switch
        {
            "degenerate" => count => random.Normal(count, -5, 8),
            "identical boxes" => count => new float[count],
            _ => count => random.Normal(count, deviation: 0.3f),
        };
        return RpnOutputs.Make(anchors, Padded, grids, objectness, deltas);
    }

    private static void AssertEqual(RpnOutputs outputs, ProposalOptions options)
    {
        ProposalList proposals = new();
        outputs.Run(new ProposalSelector(options, outputs.Anchors), Resized, proposals);
        var expected = ReferenceProposals.Select(outputs, options, Resized);
        ReferenceProposal[] actual = [.. Enumerable.Range(0, proposals.Count).Select(i => new ReferenceProposal(
            proposals.Boxes[i], proposals.Scores[i], proposals.Levels[i], proposals.AnchorIndices[i]))];
        Assert.Equal(expected, actual);
    }
}
