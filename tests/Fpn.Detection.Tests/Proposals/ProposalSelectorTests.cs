using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.Tensors;

namespace Fpn.Detection.Tests.Proposals;

public class ProposalSelectorTests
{
    private static readonly ImageSize Image = new(48, 64);

    /// <summary>One level, one anchor a cell: ±16, 16 pixels apart.</summary>
    private static readonly AnchorGenerator SingleAnchor = new(new AnchorOptions
    {
        Levels = [new("p2", [32], true), new("p3", [32], true)],
        AspectRatios = [1],
    });

    [Fact]
    public void Complete_WorkedByHand_DecodesClipsAndSuppresses()
    {
        // Two rows and two columns, 16 pixels apart. The anchors, clipped: (0,0,16,16), (0,0,32,16), (0,0,16,32),
        // (0,0,32,32). The second is moved 2 widths right, to (64,−16,96,16), which clips to nothing. The third has IoU
        // 0.5 with the first and with the last; the first has 0.25 with the last.
        float[] objectness = [0, 9, 1, 2];
        float[] deltas = [0, 2, 0, 0, .. new float[12]];
        var proposals = Run(new ProposalOptions { NmsThreshold = 0.49 }, objectness, deltas);

        Assert.Equal([new Box(0, 0, 32, 32), new Box(0, 0, 16, 16)], proposals.Boxes.ToArray());
        Assert.Equal([3, 0], proposals.AnchorIndices.ToArray());
        Assert.Equal([0, 0], proposals.Levels.ToArray());
        Assert.Equal(1 / (1 + MathF.Exp(-2)), proposals.Scores[0]);
        Assert.Equal(0.5f, proposals.Scores[1]);
    }

    [Fact]
    public void AnchorFor_WorkedByHand_IsTheCellsAnchorUnclipped()
    {
        // Position 3 of two columns is row 1, column 1, 16 pixels apart: the center is (16, 16).
        float[] deltas = [0, 2, 0, 0, .. new float[12]];
        var proposals = Run(new ProposalOptions { NmsThreshold = 0.49 }, [0, 9, 1, 2], deltas);

        Assert.Equal(new ProposalAnchor(new Box(0, 0, 32, 32), 0, 32, 1), proposals.AnchorFor(0));
        Assert.Equal(new ProposalAnchor(new Box(-16, -16, 16, 16), 0, 32, 1), proposals.AnchorFor(1));
        Assert.Throws<ArgumentOutOfRangeException>(() => proposals.AnchorFor(2));
        Assert.Throws<ArgumentOutOfRangeException>(() => proposals.AnchorFor(-1));
    }

    [Fact]
    public void Complete_ScoreEqualToThreshold_IsKept()
    {
        float[] objectness = [0, -1, 1, -2];
        var proposals =
            Run(new ProposalOptions { NmsThreshold = 1, ScoreThreshold = 0.5f }, objectness, new float[16]);
        Assert.Equal([2, 0], proposals.AnchorIndices.ToArray());
    }

    [Theory]
    [InlineData(Convention.Torchvision, 4)]
    [InlineData(Convention.Detectron2, 3)]
    public void Complete_SideEqualToMinimum_IsKeptByTorchvisionOnly(Convention convention, int count)
    {
        // Clipped, the first anchor is 16 by 16. The second and the third are 16 one way too, so they are moved by half
        // their size: down and to the right; the fourth is 32 by 32.
        ProposalOptions options = new(ConventionTable.RulesFor(convention)) { NmsThreshold = 1, MinBoxSize = 16 };
        var deltas = new float[16];
        deltas[5] = 0.5f;
        deltas[2] = 0.5f;
        Assert.Equal(count, Run(options, [4, 3, 2, 1], deltas).Count);
    }

    [Fact]
    public void Complete_LogitsWithOneSigmoid_TieInTorchvisionOnly()
    {
        // Both sigmoids are 1 in float32: torchvision then takes the earlier level, detectron2 the higher logit.
        Assert.Equal([0, 1], RunTwoLevels(new ProposalOptions(ConventionTable.Torchvision), 20, 30).Levels.ToArray());
        Assert.Equal([1, 0], RunTwoLevels(new ProposalOptions(ConventionTable.Detectron2), 20, 30).Levels.ToArray());
    }

    [Fact]
    public void Complete_DecodedToInfinity_IsClippedByTorchvisionAndDroppedByDetectron2()
    {
        // 3e38 widths of 32 to the right and to the left are infinitely far: clipped, all of the box is at the border.
        float[] deltas = [3e38f, -3e38f, .. new float[14]];
        ProposalOptions clipped = new(ConventionTable.Torchvision) { NmsThreshold = 1, MinBoxSize = 0 };
        ProposalOptions dropped = new(ConventionTable.Detectron2) { NmsThreshold = 1, MinBoxSize = 0 };
        Assert.Equal(
            [new Box(64, 0, 64, 16), new Box(0, 0, 0, 16), new Box(0, 0, 16, 32), new Box(0, 0, 32, 32)],
            Run(clipped, [4, 3, 2, 1], deltas).Boxes.ToArray());
        Assert.Equal(
            [new Box(0, 0, 16, 32), new Box(0, 0, 32, 32)],
            Run(dropped, [4, 3, 2, 1], deltas).Boxes.ToArray());
    }

    [Theory]
    [InlineData(Convention.Torchvision)]
    [InlineData(Convention.Detectron2)]
    public void Complete_HugeFiniteOutputs_StaysInsideTheImage(Convention convention)
    {
        var rules = ConventionTable.RulesFor(convention);
        RandomTensors random = new(5);
        float[] extremes = [1e38f, -1e38f, float.MaxValue, float.MinValue, 0, 1, 1e-45f, -4];
        float[] Any(int count) => [.. Enumerable.Range(0, count).Select(_ => extremes[random.Below(extremes.Length)])];
        var outputs = RpnOutputs.Make(
            RpnOutputs.Fpn(rules, 2), new ImageSize(64, 96), [new ImageSize(16, 24), new ImageSize(8, 12)], Any, Any);
        ProposalOptions options = new(rules) { MinBoxSize = 0 };
        ProposalList proposals = new();
        outputs.Run(new ProposalSelector(options, outputs.Anchors), new ImageSize(60, 90), proposals);
        Assert.NotEqual(0, proposals.Count);
        Assert.All(proposals.Boxes.ToArray(), box => Assert.True(
            0 <= box.X1 && box.X1 <= box.X2 && box.X2 <= 90 && 0 <= box.Y1 && box.Y1 <= box.Y2 && box.Y2 <= 60));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void AddLevel_NotFinite_NamesTheTensor(float bad)
    {
        for (var position = 0; position < 4; position++)
        {
            var objectness = new float[4];
            objectness[position] = bad;
            Assert.Equal("objectness_p2", Thrown(objectness, new float[16]).Tensor);
        }

        for (var position = 0; position < 16; position++)
        {
            // The anchors of low objectness are never decoded, but their deltas count too.
            var deltas = new float[16];
            deltas[position] = bad;
            Assert.Equal("deltas_p2", Thrown(new float[4], deltas).Tensor);
        }

        static NonFiniteOutputException Thrown(float[] objectness, float[] deltas) =>
            Assert.Throws<NonFiniteOutputException>(
                () => Run(new ProposalOptions { PreNmsTopN = 1 }, objectness, deltas));
    }

    [Fact]
    public void AddLevel_LengthsDoNotFit_Throws()
    {
        ProposalSelector selector = new(new ProposalOptions(), SingleAnchor);
        selector.Begin(Image);
        Assert.Throws<ArgumentException>(
            () => selector.AddLevel(0, new float[3], new float[16], new ImageSize(2, 2), 16, 16));
        Assert.Throws<ArgumentException>(
            () => selector.AddLevel(0, new float[4], new float[15], new ImageSize(2, 2), 16, 16));
        Assert.Throws<ArgumentException>(() => selector.AddLevel(0, [], [], new ImageSize(2, 2), 16, 16));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => selector.AddLevel(0, new float[4], new float[16], new ImageSize(-2, -2), 16, 16));
        Assert.Throws<ArgumentOutOfRangeException>(
            () => selector.AddLevel(2, new float[4], new float[16], new ImageSize(2, 2), 16, 16));
    }

    [Fact]
    public void AddLevel_OutOfOrder_Throws()
    {
        ProposalSelector selector = new(new ProposalOptions(), SingleAnchor);
        Assert.Throws<InvalidOperationException>(() => selector.AddLevel(0, [], [], new ImageSize(0, 0), 16, 16));
        Assert.Throws<InvalidOperationException>(() => selector.Complete(new ProposalList()));
        selector.Begin(Image);
        selector.AddLevel(1, [], [], new ImageSize(0, 5), 16, 16);
        Assert.Throws<ArgumentException>(() => selector.AddLevel(1, [], [], new ImageSize(0, 0), 16, 16));
        Assert.Throws<ArgumentException>(() => selector.AddLevel(0, [], [], new ImageSize(0, 0), 16, 16));
    }

    [Fact]
    public void Complete_NoLevelOrEmptyGrids_GivesNothing()
    {
        ProposalSelector selector = new(new ProposalOptions(), SingleAnchor);
        ProposalList proposals = new();
        selector.Begin(Image);
        selector.Complete(proposals);
        Assert.Equal(0, proposals.Count);

        selector.Begin(Image);
        selector.AddLevel(0, [], [], new ImageSize(0, 5), 16, 16);
        selector.AddLevel(1, [], [], new ImageSize(5, 0), 16, 16);
        selector.Complete(proposals);
        Assert.Equal(0, proposals.Count);
    }

    [Fact]
    public void Begin_AfterAFailedImage_StartsAfresh()
    {
        ProposalSelector selector = new(new ProposalOptions(), SingleAnchor);
        selector.Begin(Image);
        selector.AddLevel(0, [5], new float[4], new ImageSize(1, 1), 16, 16);
        Assert.Throws<NonFiniteOutputException>(
            () => selector.AddLevel(1, [float.NaN], new float[4], new ImageSize(1, 1), 16, 16));
        selector.Begin(Image);
        ProposalList proposals = new();
        selector.Complete(proposals);
        Assert.Equal(0, proposals.Count);
    }

    private static ProposalList Run(ProposalOptions options, float[] objectness, float[] deltas)
    {
        ProposalSelector selector = new(options, SingleAnchor);
        ProposalList proposals = new();
        selector.Begin(Image);
        selector.AddLevel(0, objectness, deltas, new ImageSize(2, 2), 16, 16);
        selector.Complete(proposals);
        return proposals;
    }

    private static ProposalList RunTwoLevels(ProposalOptions options, float first, float second)
    {
        ProposalSelector selector = new(options, SingleAnchor);
        ProposalList proposals = new();
        selector.Begin(Image);
        selector.AddLevel(0, [first], new float[4], new ImageSize(1, 1), 16, 16);
        selector.AddLevel(1, [second], new float[4], new ImageSize(1, 1), 16, 16);
        selector.Complete(proposals);
        return proposals;
    }
}
