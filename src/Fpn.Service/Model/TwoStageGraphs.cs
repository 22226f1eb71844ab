using Fpn.Detection.Anchors;
using Fpn.Detection.Imaging;
using Fpn.Detection.RoiHeads;
using Fpn.Service.Configuration;
using Fpn.Service.Model.Execution;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Service.Model;

/// <summary>The two graphs of a two-stage model, held against its manifest.</summary>
/// <remarks>Shape letters: B images, L levels, A anchors per cell, h×w a level's grid, D feature channels, R RoIs, C classes.</remarks>
internal sealed class TwoStageGraphs : IDisposable
{
    private const string ImagesInput = "images";
    private const string ClassLogitsOutput = "class_logits";
    private const string BoxDeltasOutput = "box_deltas";

    private readonly OnnxGraph _backbone;
    private readonly OnnxGraph _head;
    private readonly string[] _backboneOutputs;
    private readonly string[] _headInputs;

    /// <summary>Loads both graphs, checks their names, and runs them once to check their shapes.</summary>
    /// <exception cref="SettingsException">A graph cannot be loaded or does not fit the manifest.</exception>
    public TwoStageGraphs(ModelContract contract)
    {
        Levels = contract.Anchors.Levels;
        PooledLevels = [.. Enumerable.Range(0, Levels.Count).Where(level => Levels[level].Pooled)];
        var pooledNames = PooledLevels.Select(level => Levels[level].Name).ToArray();
        _backboneOutputs = [.. pooledNames, .. Levels.SelectMany(level => new[] { $"objectness_{level.Name}", $"deltas_{level.Name}" })];
        _headInputs = [.. pooledNames, .. pooledNames.Select(name => $"rois_{name}")];

        _backbone = OnnxGraph.Load(contract.Files["backbone"]);
        try
        {
            _head = OnnxGraph.Load(contract.Files["head"]);
            ImageType = RequireInterface();
            (FirstPooledStrideLog2, LastPooledStrideLog2) = Probe(contract);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>What the backbone takes images as.</summary>
    public PixelType ImageType { get; }

    /// <summary>All levels, finest first.</summary>
    public IReadOnlyList<PyramidLevel> Levels { get; }

    /// <summary>Those of <see cref="Levels"/> that RoIs are pooled from, by index.</summary>
    public IReadOnlyList<int> PooledLevels { get; }

    /// <summary>log2 of the first pooled level's stride: 2 for P2.</summary>
    public int FirstPooledStrideLog2 { get; }

    /// <summary>log2 of the last pooled level's stride: 5 for P5.</summary>
    public int LastPooledStrideLog2 { get; }

    /// <summary>Runs the backbone. Blocks.</summary>
    /// <param name="images">[B, 3, H, W] of <see cref="ImageType"/>.</param>
    /// <returns>The caller disposes it; read it through <see cref="Objectness"/> and <see cref="Deltas"/>.</returns>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> RunBackbone(ImageBatch images)
    {
        long[] shape = [images.Count, 3, images.Size.Height, images.Size.Width];
        var type = images.Type == PixelType.Float16 ? TensorElementType.Float16 : TensorElementType.Float;
        using var tensor = OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance, type, shape, images.Address, images.ByteLength);
        return _backbone.Run([ImagesInput], [tensor], _backboneOutputs);
    }

    /// <summary>Name and tensor [B, A, h, w] of a level's objectness logits.</summary>
    public (string Name, OrtValue Tensor) Objectness(IReadOnlyList<OrtValue> outputs, int level) => Output(outputs, PooledLevels.Count + (2 * level));

    /// <summary>Name and tensor [B, 4A, h, w] of a level's deltas.</summary>
    public (string Name, OrtValue Tensor) Deltas(IReadOnlyList<OrtValue> outputs, int level) => Output(outputs, PooledLevels.Count + (2 * level) + 1);

    /// <summary>Runs the head. Blocks.</summary>
    /// <param name="backboneOutputs">The features are passed on as they are.</param>
    /// <param name="rois">[R, 5]: batch index and xyxy in padded-input pixels, pooled level by pooled level.</param>
    /// <param name="counts">RoIs of each pooled level; may be 0.</param>
    /// <returns>Class logits and box deltas; the caller disposes them.</returns>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public IDisposableReadOnlyCollection<OrtValue> RunHead(IReadOnlyList<OrtValue> backboneOutputs, Memory<float> rois, ReadOnlySpan<int> counts)
    {
        const int RoiValues = 5;
        var pooled = PooledLevels.Count;
        var inputs = new OrtValue?[2 * pooled];
        try
        {
            var start = 0;
            for (var level = 0; level < pooled; level++)
            {
                inputs[level] = backboneOutputs[level];

                // An empty level's tensor still needs an address, so it gets the whole rest of the buffer.
                inputs[pooled + level] = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, rois[start..], [counts[level], RoiValues]);
                start += counts[level] * RoiValues;
            }

            return _head.Run(_headInputs, inputs!, [ClassLogitsOutput, BoxDeltasOutput]);
        }
        finally
        {
            for (var level = 0; level < pooled; level++)
            {
                inputs[pooled + level]?.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _backbone.Dispose();
        _head?.Dispose();
    }

    private (string Name, OrtValue Tensor) Output(IReadOnlyList<OrtValue> outputs, int index) => (_backboneOutputs[index], outputs[index]);

    /// <returns>What images go in as.</returns>
    private PixelType RequireInterface()
    {
        var images = _backbone.RequireInput(ImagesInput, 4);
        if (images is not (TensorElementType.Float or TensorElementType.Float16))
        {
            throw new SettingsException($"{_backbone.Path}: input '{ImagesInput}' must be float32 or float16; it is {images}.");
        }

        _backbone.RequireNoOtherInputs([ImagesInput]);
        foreach (var output in _backboneOutputs)
        {
            _backbone.RequireOutput(output, 4);
        }

        foreach (var (index, input) in _headInputs.Index())
        {
            var isRois = index >= PooledLevels.Count;
            var type = _head.RequireInput(input, isRois ? 2 : 4);
            var expected = isRois ? TensorElementType.Float : _backbone.RequireOutput(input, 4);
            if (type != expected)
            {
                throw new SettingsException($"{_head.Path}: input '{input}' must be {expected}; it is {type}.");
            }
        }

        _head.RequireNoOtherInputs(_headInputs);
        _head.RequireOutput(ClassLogitsOutput, 2);
        _head.RequireOutput(BoxDeltasOutput, 2);
        return images == TensorElementType.Float16 ? PixelType.Float16 : PixelType.Float32;
    }

    /// <summary>Runs both graphs on one empty image, with one RoI a pooled level: wrong shapes stop the start, not a request.</summary>
    /// <returns>log2 of the first and of the last pooled level's stride.</returns>
    private (int First, int Last) Probe(ModelContract contract)
    {
        const int Side = 256;
        var divisor = contract.Input.SizeDivisor;
        var side = (Side + divisor - 1) / divisor * divisor;
        var anchorsPerRatio = contract.Anchors.AspectRatios.Count;
        try
        {
            using var images = ImageBatch.Rent(1, new ImageSize(side, side), ImageType);
            images.Clear(0);
            using var outputs = RunBackbone(images);
            for (var level = 0; level < Levels.Count; level++)
            {
                var anchors = Levels[level].AnchorSizes.Count * anchorsPerRatio;
                var (name, objectness) = Objectness(outputs, level);
                var grid = objectness.GetTensorTypeAndShape().Shape;
                RequireShape(_backbone, name, grid, [1, anchors, grid[2], grid[3]], AnchorKeys(level));
                var (deltasName, deltas) = Deltas(outputs, level);
                RequireShape(_backbone, deltasName, deltas.GetTensorTypeAndShape().Shape, [1, 4 * anchors, grid[2], grid[3]], AnchorKeys(level));
            }

            var pooled = PooledLevels.Count;
            var rois = new float[pooled * 5];
            var counts = new int[pooled];
            Array.Fill(counts, 1);
            for (var level = 0; level < pooled; level++)
            {
                rois[(level * 5) + 3] = rois[(level * 5) + 4] = side;
            }

            using var head = RunHead(outputs, rois, counts);
            var classes = contract.RoiHeads.Classes;
            var deltaColumns = contract.RoiHeads.BoxDeltas switch
            {
                BoxDeltasLayout.Agnostic => 4,
                BoxDeltasLayout.PerClass => 4 * classes,
                _ => 4 * (classes + 1),
            };
            RequireShape(_head, ClassLogitsOutput, head[0].GetTensorTypeAndShape().Shape, [pooled, classes + 1], "labels");
            RequireShape(_head, BoxDeltasOutput, head[1].GetTensorTypeAndShape().Shape, [pooled, deltaColumns], "labels' and 'detection.boxDeltas");
            return (StrideLog2(outputs[0]), StrideLog2(outputs[pooled - 1]));
        }
        catch (ModelFailureException exception)
        {
            throw new SettingsException($"{Path.GetDirectoryName(_backbone.Path)}: the model failed on its first run: {exception.Message}", exception);
        }

        static string AnchorKeys(int level) => $"levels[{level}].anchorSizes' and 'aspectRatios";

        int StrideLog2(OrtValue feature) => (int)Math.Round(Math.Log2(side / (double)feature.GetTensorTypeAndShape().Shape[2]));
    }

    private static void RequireShape(OnnxGraph graph, string output, long[] actual, long[] expected, string keys)
    {
        if (!actual.AsSpan().SequenceEqual(expected))
        {
            throw new SettingsException(
                $"{graph.Path}: output '{output}' has shape [{string.Join(", ", actual)}] where '{keys}' of model.json promise [{string.Join(", ", expected)}].");
        }
    }
}
