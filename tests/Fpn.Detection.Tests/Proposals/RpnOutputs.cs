using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;

namespace Fpn.Detection.Tests.Proposals;

/// <summary>The RPN's outputs of one image at one level.</summary>
internal sealed record RpnLevel(ImageSize Grid, float[] Objectness, float[] Deltas);

/// <summary>The RPN's outputs of one image.</summary>
internal sealed record RpnOutputs(AnchorGenerator Anchors, ImageSize Padded, RpnLevel[] Levels)
{
    public static RpnOutputs Make(
        AnchorGenerator anchors,
        ImageSize padded,
        ImageSize[] grids,
        Func<int, float[]> objectness,
        Func<int, float[]> deltas)
    {
        RpnLevel[] levels = [.. grids.Select((grid, level) =>
        {
            var count = (int)grid.Area * anchors.AnchorsPerCell(level);
            return new RpnLevel(grid, objectness(count), deltas(4 * count));
        })];
        return new RpnOutputs(anchors, padded, levels);
    }

    public static AnchorGenerator Fpn(ConventionRules rules, int levels = 5) => new(new AnchorOptions(rules)
    {
        Levels = [.. Enumerable.Range(0, levels).Select(i =>
            new PyramidLevel($"p{i + 2}", [32 << i], i < 4, rules.FinestAnchorStride << i))],
    });

    public void Run(ProposalSelector selector, ImageSize resized, ProposalList destination)
    {
        selector.Begin(resized);
        for (var level = 0; level < Levels.Length; level++)
        {
            var outputs = Levels[level];
            (var strideY, var strideX) = Anchors.Strides(level, Padded, outputs.Grid);
            selector.AddLevel(level, outputs.Objectness, outputs.Deltas, outputs.Grid, strideY, strideX);
        }

        selector.Complete(destination);
    }
}
