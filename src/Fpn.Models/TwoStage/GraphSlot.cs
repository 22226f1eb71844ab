using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.TwoStage;

/// <summary>One batch's place on the device: the memory that both graphs' outputs are written into.</summary>
/// <remarks>
/// In a fixed shape, features are written into memory of the device, where the head reads them, and objectness and
/// deltas into memory that the CPU can read; all of it was allocated at the warm-up. In other shapes every run
/// allocates its outputs, in the same places. One run at a time; slots of the same graphs run side by side.
/// </remarks>
internal sealed class GraphSlot : IDisposable
{
    private const int RoiValues = 5;

    private readonly TwoStageGraphs _graphs;
    private readonly DeviceBuffer[] _outputs;
    private readonly Dictionary<(ImageSize Bucket, int Images), FixedRun> _fixed = [];
    private long[] _sizes = [];

    /// <summary>Allocates the memory for fixed shapes.</summary>
    /// <param name="graphs">To be disposed after this object.</param>
    /// <exception cref="ModelFailureException">There is not enough memory for the outputs.</exception>
    public GraphSlot(TwoStageGraphs graphs)
    {
        _graphs = graphs;
        _outputs = new DeviceBuffer[graphs.Plan is null ? 0 : graphs.Contract.BackboneOutputs.Count];
        try
        {
            for (var index = 0; index < _outputs.Length; index++)
            {
                var bytes = graphs.Plan!.LargestOutput(index);
                _outputs[index] = graphs.Contract.IsFeature(index)
                    ? graphs.Device.Allocate(bytes)
                    : graphs.Device.AllocateHost(bytes);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Runs the backbone. Blocks.</summary>
    /// <param name="images">[B, 3, H, W], or [B, H, W, 3] bytes.</param>
    /// <param name="geometries">Sizes of the images, at most B: the others are blank.</param>
    /// <returns>Outputs in the order of <see cref="GraphContract.BackboneOutputs"/>, valid until the slot's next run;
    /// the caller disposes them.</returns>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public PyramidOutputs RunBackbone(ImageBatch images, IReadOnlyList<ImageGeometry> geometries)
    {
        _graphs.BackboneShapes.Note(images.Count, images.Size.Height, images.Size.Width);
        using var tensor = ViewTensor(images);
        using var sizes = images.Type == PixelType.UInt8 ? WriteSizes(geometries, images.Count) : null;
        var inputs = sizes is null ? new[] { tensor } : [tensor, sizes];
        if (FixedRunFor(images) is { } run)
        {
            run.Backbone.Run(_graphs.Contract.BackboneInputs, inputs, _graphs.Contract.BackboneOutputs, run.Outputs);
            return new PyramidOutputs(run.Outputs, owner: null);
        }

        using var binding = _graphs.Backbone.Bind();
        foreach (var (index, input) in inputs.Index())
        {
            binding.BindInput(_graphs.Contract.BackboneInputs[index], input);
        }

        foreach (var (index, name) in _graphs.Contract.BackboneOutputs.Index())
        {
            binding.BindOutput(name, _graphs.OutputMemory(index));
        }

        var outputs = binding.RunForResults();
        return new PyramidOutputs(outputs, outputs);
    }

    /// <summary>Runs the head. Blocks.</summary>
    /// <param name="pyramid">The features are read where they are.</param>
    /// <param name="rois">[R, 5]: batch index and xyxy in padded-input pixels, pooled level by pooled level.</param>
    /// <param name="counts">RoIs of each pooled level; may be 0.</param>
    /// <param name="outputs">Where the results go; null lets the run allocate them.</param>
    /// <returns>Class logits and box deltas; the caller disposes them.</returns>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public HeadOutputs RunHead(
        PyramidOutputs pyramid, Memory<float> rois, ReadOnlySpan<int> counts, HeadBuffers? outputs)
    {
        var pooled = _graphs.Contract.PooledLevels.Count;
        var inputs = new OrtValue[2 * pooled];
        var start = 0;
        try
        {
            for (var level = 0; level < pooled; level++)
            {
                inputs[level] = pyramid[level];

                // An empty level's tensor still needs an address, so it gets the whole rest of the buffer.
                inputs[pooled + level] = OrtValue.CreateTensorValueFromMemory(
                    OrtMemoryInfo.DefaultInstance, rois[start..], [counts[level], RoiValues]);
                start += counts[level] * RoiValues;
            }

            var count = start / RoiValues;
            _graphs.HeadShapes.Note(count);
            return outputs is null ? RunFree(inputs) : RunFixed(inputs, outputs, count);
        }
        finally
        {
            foreach (var tensor in inputs.AsSpan(pooled))
            {
                tensor?.Dispose();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var run in _fixed.Values)
        {
            run.Dispose();
        }

        _fixed.Clear();
        foreach (var buffer in _outputs)
        {
            buffer?.Dispose();
        }
    }

    private HeadOutputs RunFree(OrtValue[] inputs)
    {
        using var binding = _graphs.Head.Bind();
        foreach (var (index, input) in inputs.Index())
        {
            binding.BindInput(_graphs.Contract.HeadInputs[index], input);
        }

        foreach (var name in GraphContract.HeadOutputs)
        {
            binding.BindOutput(name, OrtMemoryInfo.DefaultInstance);
        }

        var results = binding.RunForResults();
        return new HeadOutputs(results[0], results[1], results);
    }

    private HeadOutputs RunFixed(OrtValue[] inputs, HeadBuffers buffers, int rois)
    {
        var (classLogits, boxDeltas) = buffers.View(rois);
        _graphs.Head.Run(_graphs.Contract.HeadInputs, inputs, GraphContract.HeadOutputs, [classLogits, boxDeltas]);
        return new HeadOutputs(classLogits, boxDeltas, owner: null);
    }

    /// <summary>How a shape is run whose outputs fit the buffers; null for other shapes.</summary>
    private FixedRun? FixedRunFor(ImageBatch images)
    {
        var key = (images.Size, images.Count);
        if (_fixed.TryGetValue(key, out var run))
        {
            return run;
        }

        if (_graphs.Plan?.OutputsFor(images.Size, images.Count) is not { } shapes)
        {
            return null;
        }

        run = new FixedRun(_graphs, key, _outputs, shapes);
        _fixed.Add(key, run);
        return run;
    }

    private static OrtValue ViewTensor(ImageBatch images)
    {
        var (height, width) = (images.Size.Height, images.Size.Width);
        return OrtValue.CreateTensorValueWithData(
            OrtMemoryInfo.DefaultInstance,
            images.Type switch
            {
                PixelType.Float32 => TensorElementType.Float,
                PixelType.Float16 => TensorElementType.Float16,
                _ => TensorElementType.UInt8,
            },
            images.Type == PixelType.UInt8 ? [images.Count, height, width, 3] : [images.Count, 3, height, width],
            images.Address,
            images.ByteLength);
    }

    private OrtValue WriteSizes(IReadOnlyList<ImageGeometry> geometries, int count)
    {
        if (_sizes.Length != 2 * count)
        {
            _sizes = GC.AllocateUninitializedArray<long>(2 * count, pinned: true);
        }

        // Of a blank image everything is padding.
        _sizes.AsSpan().Clear();
        for (var i = 0; i < geometries.Count; i++)
        {
            _sizes[2 * i] = geometries[i].Resized.Height;
            _sizes[(2 * i) + 1] = geometries[i].Resized.Width;
        }

        return OrtValue.CreateTensorValueFromMemory(_sizes, [count, 2]);
    }

    /// <summary>The backbone's session for one shape, and views of the slot's buffers in that shape.</summary>
    private sealed class FixedRun(
        TwoStageGraphs graphs,
        (ImageSize Bucket, int Images) shape,
        DeviceBuffer[] buffers,
        IReadOnlyList<long[]> outputShapes) : IDisposable
    {
        public OnnxGraph Backbone { get; } = graphs.BackboneFor(shape.Bucket, shape.Images);

        public OrtValue[] Outputs { get; } =
            [.. buffers.Select((buffer, index) => buffer.View(graphs.Contract.OutputType(index), outputShapes[index]))];

        public void Dispose() => Array.ForEach(Outputs, view => view.Dispose());
    }
}
