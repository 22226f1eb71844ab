using System.Diagnostics;
using System.Runtime.InteropServices;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.EndToEnd;

/// <summary>A model in one graph with everything inside: served one image at a time, since such graphs do not
/// batch.</summary>
internal sealed class EndToEndDetector : IDetector
{
    private readonly OnnxGraph _graph;
    private readonly EndToEndOptions _options;
    private readonly Preprocessor _preprocessor;
    private readonly TensorElementType _labelsType;

    /// <summary>Loads the graph and checks its names.</summary>
    /// <param name="contract">The model.</param>
    /// <param name="device">What it runs on.</param>
    /// <exception cref="ModelPackageException">The graph cannot be loaded or does not fit the manifest.</exception>
    public EndToEndDetector(ModelContract contract, ExecutionDevice device)
    {
        Contract = contract;
        _options = contract.EndToEnd
            ?? throw new ArgumentException("The contract is not that of an end-to-end model.", nameof(contract));
        _preprocessor = new Preprocessor(contract.Input, PixelType.Float32, resizeInside: _options.ResizeInside);
        _graph = OnnxGraph.Load(contract.Files["model"], device);
        try
        {
            var input = _graph.RequireInput(_options.Input, _options.Rank);
            if (input != TensorElementType.Float)
            {
                throw new ModelPackageException(
                    $"{_graph.Path}: input '{_options.Input}' must be float32; it is {input}.");
            }

            GraphCheck.RequireFreeSize(_graph, _options.Input);
            _graph.RequireNoOtherInputs([_options.Input]);
            _labelsType = _graph.RequireOutput(_options.Labels, 1);
            if (_labelsType is not (TensorElementType.Int64 or TensorElementType.Int32))
            {
                throw new ModelPackageException(
                    $"{_graph.Path}: output '{_options.Labels}' must be int64 or int32; it is {_labelsType}.");
            }

            _graph.RequireOutput(_options.Boxes, 2);
            _graph.RequireOutput(_options.Scores, 1);
        }
        catch
        {
            _graph.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ModelContract Contract { get; }

    /// <inheritdoc/>
    public int LargestBatch => 1;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, long> UnwarmedShapes { get; } = new Dictionary<string, long>();

    /// <inheritdoc/>
    public IReadOnlyList<OnnxGraph> Graphs => [_graph];

    /// <inheritdoc/>
    public ImageGeometry Measure(ImageSize original, int? minSize) => _preprocessor.Measure(original, minSize);

    /// <inheritdoc/>
    public PreparedBatch Prepare(ImageSize padded, IReadOnlyList<MeasuredImage> images) =>
        _preprocessor.Prepare(padded, images);

    /// <inheritdoc/>
    /// <remarks>
    /// Such graphs take images as they are, so there are no shapes to fix: everything was tried when it was measured.
    /// </remarks>
    public void WarmUp(FixedShapes shapes, Action<int> progress)
    {
    }

    /// <inheritdoc/>
    public InferredBatch Infer(PreparedBatch batch)
    {
        var size = batch.Tensor.Size;
        long[] shape = _options.Rank == 3 ? [3, size.Height, size.Width] : [1, 3, size.Height, size.Width];
        using var image = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            TensorElementType.Float,
            shape,
            batch.Tensor.Address,
            batch.Tensor.ByteLength);
        var started = Stopwatch.GetTimestamp();
        using var binding = _graph.Bind();
        binding.BindInput(_options.Input, image);
        foreach (var output in new[] { _options.Boxes, _options.Labels, _options.Scores })
        {
            binding.BindOutput(output, OrtMemoryInfo.DefaultInstance);
        }

        using var outputs = binding.RunForResults();
        var times = new InferenceTimes(Stopwatch.GetElapsedTime(started));
        return new Answer(Read(outputs, batch.Geometries[0])) { Times = times };
    }

    /// <inheritdoc/>
    public void Dispose() => _graph.Dispose();

    private DetectedObject[] Read(IReadOnlyList<OrtValue> outputs, ImageGeometry geometry)
    {
        using var boxes = new FloatTensor(outputs[0], _options.Boxes);
        using var scores = new FloatTensor(outputs[2], _options.Scores);
        var count = scores.Values.Length;
        var labels = ReadLabels(outputs[1], count);
        if (boxes.Values.Length != 4 * count || labels.Length != count)
        {
            throw new ModelFailureException(
                $"The model gave {boxes.Values.Length / 4} boxes, {labels.Length} labels and {count} scores: "
                + "there must be equally many.");
        }

        FiniteCheck.RequireFinite(_options.Boxes, boxes.Values);
        FiniteCheck.RequireFinite(_options.Scores, scores.Values);
        // Where boxes come in the original's pixels already, scaling to it changes nothing.
        var space = _options.BoxesInOriginal ? geometry.Original : geometry.Resized;
        var corners = MemoryMarshal.Cast<float, Box>(boxes.Values);
        var offset = Contract.RoiHeads.Background == BackgroundPosition.First ? 1 : 0;
        var found = new List<DetectedObject>(count);
        for (var i = 0; i < count; i++)
        {
            if (!(scores.Values[i] > Contract.RoiHeads.ScoreThreshold))
            {
                continue;
            }

            var label = labels[i] - offset;
            if (label < 0 || label >= Contract.Labels.Count)
            {
                throw new ModelFailureException(
                    $"Output '{_options.Labels}' holds class {labels[i]}; model.json names {Contract.Labels.Count} "
                    + $"labels, counted from {offset}.");
            }

            var box = BoxOperations.ToOriginal(corners[i], space, geometry.Original);
            found.Add(new DetectedObject(box, scores.Values[i], (int)label, Level: null));
        }

        return
        [
            .. found.OrderByDescending(item => item.Score).ThenBy(item => item.Label)
                .Take(Contract.RoiHeads.DetectionsPerImage),
        ];
    }

    private long[] ReadLabels(OrtValue tensor, int count)
    {
        if (count == 0)
        {
            return [];
        }

        return _labelsType == TensorElementType.Int64
            ? tensor.GetTensorDataAsSpan<long>().ToArray()
            : Array.ConvertAll(tensor.GetTensorDataAsSpan<int>().ToArray(), label => (long)label);
    }

    /// <summary>What the graph gave: everything is read already.</summary>
    private sealed class Answer(DetectedObject[] detections) : InferredBatch
    {
        public override DetectedObject[] Select(int image) => detections;

        public override void Dispose()
        {
        }
    }
}
