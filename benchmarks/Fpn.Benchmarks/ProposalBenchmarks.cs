using BenchmarkDotNet.Attributes;
using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Proposals;
using Fpn.Detection.Suppression;

namespace Fpn.Benchmarks;

/// <summary>From the RPN's outputs to 1000 proposals, one image of 800×1344: 268,569 anchors on five levels.</summary>
[MemoryDiagnoser]
public class ProposalBenchmarks
{
    /// <summary>The order of the logits: as from a network, all equal, or rising along the scan, which a threshold
    /// never stops.</summary>
    public enum Logits
    {
        Normal,
        Equal,
        Ascending,
    }

    private const int AnchorsPerCell = 3;

    private static readonly ImageSize Padded = new(800, 1344);
    private static readonly ImageSize Resized = new(800, 1333);
    private static readonly ImageSize[] Grids = [new(200, 336), new(100, 168), new(50, 84), new(25, 42), new(13, 21)];

    private readonly AnchorGenerator _anchors = new(new AnchorOptions
    {
        Levels = [.. Enumerable.Range(0, Grids.Length).Select(i => new PyramidLevel($"p{i + 2}", [32 << i], i < 4))],
    });

    private readonly ProposalList _proposals = new();
    private readonly BoxCoder _coder = new(BoxWeights.One);
    private readonly NonMaxSuppression _suppression = new(0.7, ConventionTable.Torchvision.MaxShiftedBoxes);
    private readonly int[] _kept = new int[1000];
    private ProposalSelector _selector = null!;
    private float[][] _objectness = null!;
    private float[][] _deltas = null!;

    [Params(Logits.Normal, Logits.Equal, Logits.Ascending)]
    public Logits Order { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        MadeNumbers numbers = new(1);
        _selector = new ProposalSelector(new ProposalOptions(), _anchors);
        _objectness = [.. Grids.Select(grid => Enumerable.Range(0, (int)grid.Area * AnchorsPerCell)
            .Select(i => Order switch
            {
                Logits.Normal => numbers.Normal(-4, 2),
                Logits.Equal => -4f,
                _ => i * 1e-4f - 10,
            })
            .ToArray())];
        _deltas = [.. Grids.Select(grid => numbers.Normals((int)grid.Area * AnchorsPerCell * 4, 0, 0.2f))];
    }

    [Benchmark]
    public int Select()
    {
        _selector.Begin(Resized);
        for (var level = 0; level < Grids.Length; level++)
        {
            (var strideY, var strideX) = _anchors.Strides(level, Padded, Grids[level]);
            _selector.AddLevel(level, _objectness[level], _deltas[level], Grids[level], strideY, strideX);
        }

        _selector.Complete(_proposals);
        return _proposals.Count;
    }

    /// <summary>What the definition says, without selecting before decoding: decode all, sort all, then
    /// suppress.</summary>
    [Benchmark(Baseline = true)]
    public int DecodeAndSortEverything()
    {
        List<Box> boxes = [];
        List<float> scores = [];
        List<int> levels = [];
        for (var level = 0; level < Grids.Length; level++)
        {
            (var decoded, var logits) = DecodeLevel(level);
            int[] order = [.. Enumerable.Range(0, logits.Length)];
            Array.Sort([.. logits.Select(logit => -logit)], order);
            foreach (var index in order.Take(1000))
            {
                boxes.Add(BoxOperations.Clip(decoded[index], Resized));
                scores.Add(1 / (1 + MathF.Exp(-logits[index])));
                levels.Add(level);
            }
        }

        return _suppression.Select([.. boxes], [.. scores], [.. levels], _kept);
    }

    private (Box[] Boxes, float[] Logits) DecodeLevel(int level)
    {
        var grid = Grids[level];
        (var strideY, var strideX) = _anchors.Strides(level, Padded, grid);
        var cells = (int)grid.Area;
        var boxes = new Box[cells * AnchorsPerCell];
        var logits = new float[boxes.Length];
        for (var i = 0; i < boxes.Length; i++)
        {
            var a = i % AnchorsPerCell;
            var cell = i / AnchorsPerCell;
            ReadOnlySpan<float> deltas = _deltas[level].AsSpan(4 * a * cells);
            var anchor = _anchors.Anchor(level, a, cell / grid.Width, cell % grid.Width, strideY, strideX);
            BoxDeltas anchorDeltas = new(
                deltas[cell], deltas[cells + cell], deltas[2 * cells + cell], deltas[3 * cells + cell]);
            boxes[i] = _coder.Decode(anchorDeltas, anchor);
            logits[i] = _objectness[level][a * cells + cell];
        }

        return (boxes, logits);
    }
}
