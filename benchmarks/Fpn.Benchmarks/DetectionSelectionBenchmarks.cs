using BenchmarkDotNet.Attributes;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Suppression;

namespace Fpn.Benchmarks;

/// <summary>From the box head's outputs to at most 100 detections: 1000 RoIs, 91 classes with the background.</summary>
[MemoryDiagnoser]
public class DetectionSelectionBenchmarks
{
    /// <summary>How sure the network is.</summary>
    public enum Scene
    {
        /// <summary>Every fifth RoI is on an object, the others are background: a few hundred candidates.</summary>
        Ordinary,

        /// <summary>Nineteen classes of every RoI score 0.052, as many as the threshold of 0.05 admits: 19,000
        /// candidates.</summary>
        MostCandidates,
    }

    private const int Rois = 1000;
    private const int Classes = 90;
    private const int Columns = Classes + 1;

    private static readonly ImageSize Resized = new(800, 1333);
    private static readonly ImageSize Original = new(480, 800);

    private readonly DetectionSelector _selector = new(new RoiHeadsOptions { Classes = Classes });
    private readonly DetectionList _detections = new();
    private readonly BoxCoder _coder = new(new BoxWeights(10, 10, 5, 5));
    private readonly NonMaxSuppression _suppression = new(0.5, ConventionTable.Torchvision.MaxShiftedBoxes);
    private readonly int[] _rows = [.. Enumerable.Range(0, Rois)];
    private readonly int[] _kept = new int[100];
    private float[] _logits = null!;
    private float[] _deltas = null!;
    private Box[] _proposals = null!;

    [Params(Scene.Ordinary, Scene.MostCandidates)]
    public Scene Objects { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        MadeNumbers numbers = new(1);
        _deltas = numbers.Normals(Rois * Columns * 4, 0, 0.5f);
        _proposals = [.. Enumerable.Range(0, Rois).Select(_ => Proposal(numbers))];
        _logits = new float[Rois * Columns];
        for (var i = 0; i < _logits.Length; i++)
        {
            (var roi, var column) = Math.DivRem(i, Columns);
            _logits[i] = Objects == Scene.MostCandidates
                ? ((column + roi) % Columns is > 0 and < 20 ? 8 + numbers.Uniform(0, 0.01f) : 0)
                : numbers.Normal(0, 1) + (column == 0 ? 6 : 0) + (roi % 5 == 0 && column == 1 + roi % Classes ? 8 : 0);
        }
    }

    [Benchmark]
    public int Select()
    {
        _selector.Select(_logits, _deltas, _proposals, _rows, Resized, Original, _detections);
        return _detections.Count;
    }

    /// <summary>What the definition says, without selecting before decoding: every class of every RoI.</summary>
    [Benchmark(Baseline = true)]
    public int DecodeEverything()
    {
        List<Box> boxes = [];
        List<float> scores = [];
        List<int> classes = [];
        var row = new float[Columns];
        for (var roi = 0; roi < Rois; roi++)
        {
            ReadOnlySpan<float> logits = _logits.AsSpan(roi * Columns, Columns);
            var largest = float.NegativeInfinity;
            foreach (var logit in logits)
            {
                largest = MathF.Max(largest, logit);
            }

            float sum = 0;
            for (var column = 0; column < Columns; column++)
            {
                row[column] = MathF.Exp(logits[column] - largest);
                sum += row[column];
            }

            for (var column = 1; column < Columns; column++)
            {
                ReadOnlySpan<float> deltas = _deltas.AsSpan(4 * (roi * Columns + column), 4);
                var box = BoxOperations.Clip(
                    _coder.Decode(new BoxDeltas(deltas[0], deltas[1], deltas[2], deltas[3]), _proposals[roi]), Resized);
                if (row[column] / sum > 0.05f)
                {
                    boxes.Add(box);
                    scores.Add(row[column] / sum);
                    classes.Add(column);
                }
            }
        }

        return _suppression.Select([.. boxes], [.. scores], [.. classes], _kept);
    }

    private static Box Proposal(MadeNumbers numbers)
    {
        var x = numbers.Uniform(0, 1200);
        var y = numbers.Uniform(0, 700);
        return new Box(x, y, x + numbers.Uniform(20, 130), y + numbers.Uniform(20, 100));
    }
}
