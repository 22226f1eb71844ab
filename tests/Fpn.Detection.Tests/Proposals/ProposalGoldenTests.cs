using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.Tests.Goldens;
using Fpn.Testing.Goldens;

namespace Fpn.Detection.Tests.Proposals;

public sealed class ProposalGoldenTests
{
    private const float BoxTolerance = 1e-3f;
    private const float ScoreTolerance = 1e-6f;

    public static TheoryData<string> Cases => GoldenFolder.CasesIn("tensors", "proposals");

    [Theory]
    [MemberData(nameof(Cases))]
    public void Complete_Torchvision_EqualsReference(string name)
    {
        var scoreThreshold = Case(name).ScoreThreshold;
        AssertProposals(name, "torchvision", ConventionTable.Torchvision, scoreThreshold);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Complete_Detectron2_EqualsReference(string name)
    {
        AssertProposals(name, "detectron2", ConventionTable.Detectron2, scoreThreshold: 0);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void AnchorFor_EachProposal_DecodesToItsBoxWithItsDeltas(string name)
    {
        var golden = Case(name);
        foreach (var rules in new[] { ConventionTable.Torchvision, ConventionTable.Detectron2 })
        {
            var proposals = Select(name, golden, new ProposalOptions(rules) { MinBoxSize = 0 }, rules);
            var deltas = golden.Levels.Select(level => Array<float>(name, $"deltas_{level.Name}.npy").Values).ToArray();
            var coder = new BoxCoder(BoxWeights.One);
            Assert.NotEqual(0, proposals.Count);
            for (var i = 0; i < proposals.Count; i++)
            {
                var anchor = proposals.AnchorFor(i);
                var level = golden.Levels[anchor.Level];
                var anchorsPerCell = level.AnchorSizes.Length * golden.AspectRatios.Length;
                var (cell, anchorInCell) = Math.DivRem(proposals.AnchorIndices[i], anchorsPerCell);
                var cells = level.Height * level.Width;
                float Delta(int d) => deltas[anchor.Level][((4 * anchorInCell) + d) * cells + cell];

                Assert.Equal(proposals.Levels[i], anchor.Level);
                Assert.Equal(
                    proposals.Boxes[i],
                    BoxOperations.Clip(
                        coder.Decode(new BoxDeltas(Delta(0), Delta(1), Delta(2), Delta(3)), anchor.Box),
                            golden.Resized.ToImageSize()));
                Assert.Contains(anchor.Size, level.AnchorSizes);
                Assert.Contains(anchor.AspectRatio, golden.AspectRatios);
                Assert.Equal(anchor.AspectRatio, anchor.Box.Height / anchor.Box.Width, 0.06f * anchor.AspectRatio);
            }
        }
    }

    private static void AssertProposals(string name, string convention, ConventionRules rules, float scoreThreshold)
    {
        var golden = Case(name);
        var values = Array<float>(name, $"{convention}.npy").Values;
        var origin = Array<int>(name, $"{convention}_origin.npy").Values;
        var reference = new Ranked<(int Level, int Anchor)>[origin.Length / 2];
        for (var i = 0; i < reference.Length; i++)
        {
            reference[i] = new((origin[2 * i], origin[2 * i + 1]), values[5 * i + 4]);
        }

        var proposals = Select(name, golden, new ProposalOptions(rules) { ScoreThreshold = scoreThreshold }, rules);

        var actual = new Ranked<(int Level, int Anchor)>[proposals.Count];
        for (var i = 0; i < actual.Length; i++)
        {
            actual[i] = new((proposals.Levels[i], proposals.AnchorIndices[i]), proposals.Scores[i]);
        }

        Assert.NotEmpty(reference);
        Assert.Empty(RankedList.Differences(reference, actual, golden.PostNmsTopN));
        var ranks = reference.Select((entry, rank) => (entry.Key, rank))
            .ToDictionary(pair => pair.Key, pair => pair.rank);
        for (var i = 0; i < actual.Length; i++)
        {
            if (ranks.TryGetValue(actual[i].Key, out var rank))
            {
                var row = values.AsSpan(5 * rank, 5);
                var expected = new Box(row[0], row[1], row[2], row[3]);
                Assert.True(
                    BoxMath.Distance(expected, proposals.Boxes[i]) <= BoxTolerance,
                    $"{actual[i].Key}: {proposals.Boxes[i]}, not {expected}");
                Assert.Equal(row[4], actual[i].Score, ScoreTolerance);
            }
        }
    }

    private static ProposalList Select(string name, ProposalCase golden, ProposalOptions options, ConventionRules rules)
    {
        var derived = rules.FinestAnchorStride is null;
        var generator = new AnchorGenerator(new AnchorOptions(rules)
        {
            Levels = [.. golden.Levels.Select(
                l => new PyramidLevel(l.Name, l.AnchorSizes, true, derived ? null : l.Stride))],
            AspectRatios = golden.AspectRatios,
        });
        var selector = new ProposalSelector(
            options with
            {
                PreNmsTopN = golden.PreNmsTopN,
                PostNmsTopN = golden.PostNmsTopN,
                NmsThreshold = golden.NmsThreshold,
            },
            generator);
        var proposals = new ProposalList();
        selector.Begin(golden.Resized.ToImageSize());
        for (var level = 0; level < golden.Levels.Length; level++)
        {
            var grid = new ImageSize(golden.Levels[level].Height, golden.Levels[level].Width);
            var (strideY, strideX) = generator.Strides(level, golden.Padded.ToImageSize(), grid);
            selector.AddLevel(
                level,
                Array<float>(name, $"objectness_{golden.Levels[level].Name}.npy").Values,
                Array<float>(name, $"deltas_{golden.Levels[level].Name}.npy").Values,
                grid,
                strideY,
                strideX);
        }

        selector.Complete(proposals);
        return proposals;
    }

    private static ProposalCase Case(string name) =>
        GoldenFolder.ReadJson<ProposalCase>("tensors", "proposals", name, "case.json");

    private static NpyArray<T> Array<T>(string name, string file)
        where T : unmanaged => NpyFile.Read<T>(GoldenFolder.At("tensors", "proposals", name, file));

    private sealed record ProposalCase(
        GoldenSize Padded,
        GoldenSize Resized,
        float[] AspectRatios,
        int PreNmsTopN,
        int PostNmsTopN,
        double NmsThreshold,
        float ScoreThreshold,
        ProposalLevel[] Levels);

    private sealed record ProposalLevel(string Name, float[] AnchorSizes, int Stride, int Height, int Width);
}
