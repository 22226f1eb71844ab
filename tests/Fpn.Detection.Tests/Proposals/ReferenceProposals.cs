using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.Tests.Suppression;

namespace Fpn.Detection.Tests.Proposals;

internal sealed record ReferenceProposal(Box Box, float Score, int Level, int AnchorIndex);

/// <summary>Proposals as the references write them: every anchor decoded, everything sorted, nothing skipped.</summary>
internal static class ReferenceProposals
{
    private sealed record Candidate(Box Box, float Logit, int Level, int AnchorIndex)
    {
        public float Score { get; } = 1 / (1 + MathF.Exp(-Logit));
    }

    public static ReferenceProposal[] Select(RpnOutputs outputs, ProposalOptions options, ImageSize resized)
    {
        Candidate[] candidates = [.. outputs.Levels
            .SelectMany((_, level) => Decoded(outputs, level)
                .OrderByDescending(candidate => candidate.Logit)
                .Take(options.PreNmsTopN))
            .Where(candidate => !options.DropNonFinite || BoxOperations.IsFinite(candidate.Box))
            .Select(candidate => candidate with { Box = BoxOperations.Clip(candidate.Box, resized) })
            .Where(candidate => options.MinBoxSizeInclusive
                ? candidate.Box.Width >= options.MinBoxSize && candidate.Box.Height >= options.MinBoxSize
                : candidate.Box.Width > options.MinBoxSize && candidate.Box.Height > options.MinBoxSize)
            .Where(candidate => candidate.Score >= options.ScoreThreshold)];
        var kept = ReferenceSuppression.Select(
            [.. candidates.Select(candidate => candidate.Box)],
            [.. candidates.Select(
                candidate => options.Ranking == ProposalRanking.Score ? candidate.Score : candidate.Logit)],
            [.. candidates.Select(candidate => candidate.Level)],
            options.NmsThreshold,
            options.MaxShiftedBoxes,
            options.PostNmsTopN);
        return [.. kept
            .Select(i => candidates[i])
            .Select(kept => new ReferenceProposal(kept.Box, kept.Score, kept.Level, kept.AnchorIndex))];
    }

    private static IEnumerable<Candidate> Decoded(RpnOutputs outputs, int level)
    {
        var maps = outputs.Levels[level];
        var anchors = outputs.Anchors;
        (var strideY, var strideX) = anchors.Strides(level, outputs.Padded, maps.Grid);
        BoxCoder coder = new(BoxWeights.One);
        var index = 0;
        for (var y = 0; y < maps.Grid.Height; y++)
        {
            for (var x = 0; x < maps.Grid.Width; x++)
            {
                for (var a = 0; a < anchors.AnchorsPerCell(level); a++)
                {
                    float At(float[] map, int channel) => map[(channel * maps.Grid.Height + y) * maps.Grid.Width + x];
                    BoxDeltas deltas = new(
                        At(maps.Deltas, 4 * a),
                        At(maps.Deltas, 4 * a + 1),
                        At(maps.Deltas, 4 * a + 2),
                        At(maps.Deltas, 4 * a + 3));
                    var box = coder.Decode(deltas, anchors.Anchor(level, a, y, x, strideY, strideX));
                    yield return new Candidate(box, At(maps.Objectness, a), level, index++);
                }
            }
        }
    }
}
