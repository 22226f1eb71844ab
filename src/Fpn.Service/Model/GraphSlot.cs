using Fpn.Detection.Imaging;
using Fpn.Service.Model.Execution;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Service.Model;

/// <summary>
/// One batch's place on the device: bindings of both graphs, and the memory that their outputs are written into.
/// </summary>
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

    /// <summary>Binds both graphs.</summary>
    /// <param name="graphs">To be disposed after this object.</param>
    /// <exception cref="ModelFailureException">There is not enough memory for the outputs.</exception>
    public GraphSlot(TwoStageGraphs graphs)
    {
        _graphs = graphs;
        _outputs = new DeviceBuffer[graphs.Fixed is null ? 0 : graphs.BackboneOutputs.Count];
        try
        {
            for (var index = 0; index < _outputs.Length; index++)
            {
                var bytes = graphs.LargestOutput(index);
                _outputs[index] = graphs.IsFeature(index) ? graphs.Device.Allocate(bytes) : graphs.Device.AllocateHost(bytes);
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
    /// <returns>Outputs in the order of <see cref="TwoStageGraphs.BackboneOutputs"/>, valid until the slot's next run;
    /// the caller disposes them.</returns>
    /// <exception cref="DeviceLostException">The device failed.</exception>
    /// <exception cref="ModelFailureException">The graph failed.</exception>
    public PyramidOutputs RunBackbone(ImageBatch images, IReadOnlyList<ImageGeometry> geometries)
    {
        _graphs.BackboneShapes.Note(images.Count, images.Size.Height, images.Size.Width);
        if (FixedRunFor(images) is { } run)
        {
            try
            {
                BindImages(run.Binding, images, geometries);
                run.Binding.Run();
            }
            finally
            {
                // Else the device's copy of the images would be kept for each shape until that shape comes again.
                run.Binding.ClearInputs();
            }

            return new PyramidOutputs(run.Outputs, owner: null);
        }

        using var binding = _graphs.Backbone.Bind();
        BindImages(binding, images, geometries);
        foreach (var (index, name) in _graphs.BackboneOutputs.Index())
        {
            binding.BindOutput(name, _graphs.MemoryOf(index));
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
    public HeadOutputs RunHead(PyramidOutputs pyramid, Memory<float> rois, ReadOnlySpan<int> counts, HeadBuffers? outputs)
    {
        var pooled = _graphs.PooledLevels.Count;
        var tensors = new OrtValue?[pooled];
        var start = 0;
        using var binding = _graphs.Head.Bind();
        try
        {
            for (var level = 0; level < pooled; level++)
            {
                // An empty level's tensor still needs an address, so it gets the whole rest of the buffer.
                tensors[level] = OrtValue.CreateTensorValueFromMemory(
                    OrtMemoryInfo.DefaultInstance, rois[start..], [counts[level], RoiValues]);
                binding.BindInput(_graphs.HeadInputs[level], pyramid[level]);
                binding.BindInput(_graphs.HeadInputs[pooled + level], tensors[level]!);
                start += counts[level] * RoiValues;
            }

            _graphs.HeadShapes.Note(start / RoiValues);
            return outputs is null ? RunFree(binding) : RunFixed(binding, outputs, start / RoiValues);
        }
        finally
        {
            foreach (var tensor in tensors)
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

    private static HeadOutputs RunFree(GraphBinding head)
    {
        head.BindOutput(TwoStageGraphs.ClassLogitsOutput, OrtMemoryInfo.DefaultInstance);
        head.BindOutput(TwoStageGraphs.BoxDeltasOutput, OrtMemoryInfo.DefaultInstance);
        var results = head.RunForResults();
        return new HeadOutputs(results[0], results[1], results);
    }

    private static HeadOutputs RunFixed(GraphBinding head, HeadBuffers buffers, int rois)
    {
        var (classLogits, boxDeltas) = buffers.View(rois);
        head.BindOutput(TwoStageGraphs.ClassLogitsOutput, classLogits);
        head.BindOutput(TwoStageGraphs.BoxDeltasOutput, boxDeltas);
        head.Run();
        return new HeadOutputs(classLogits, boxDeltas, owner: null);
    }

    /// <summary>The binding for a shape whose outputs fit the buffers; null for other shapes.</summary>
    private FixedRun? FixedRunFor(ImageBatch images)
    {
        var key = (images.Size, images.Count);
        if (_fixed.TryGetValue(key, out var run))
        {
            return run;
        }

        if (_graphs.ShapesOf(images.Size, images.Count) is not { } shapes)
        {
            return null;
        }

        run = new FixedRun(_graphs, _outputs, shapes);
        _fixed.Add(key, run);
        return run;
    }

    private void BindImages(GraphBinding binding, ImageBatch images, IReadOnlyList<ImageGeometry> geometries)
    {
        // Binding copies to a GPU what does not lie there; on a CPU the run reads the batch's own memory.
        var (height, width) = (images.Size.Height, images.Size.Width);
        var isBytes = images.Type == PixelType.UInt8;
        var type = images.Type switch
        {
            PixelType.Float32 => TensorElementType.Float,
            PixelType.Float16 => TensorElementType.Float16,
            _ => TensorElementType.UInt8,
        };
        using var tensor = OrtValue.CreateTensorValueWithData(
            _graphs.Device.HostMemory,
            type,
            isBytes ? [images.Count, height, width, 3] : [images.Count, 3, height, width],
            images.Address,
            images.ByteLength);
        binding.BindInput(TwoStageGraphs.ImagesInput, tensor);
        if (isBytes)
        {
            BindSizes(binding, images.Count, geometries);
        }
    }

    private void BindSizes(GraphBinding binding, int count, IReadOnlyList<ImageGeometry> geometries)
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

        using var sizes = OrtValue.CreateTensorValueFromMemory(_sizes, [count, 2]);
        binding.BindInput(TwoStageGraphs.ImageSizesInput, sizes);
    }

    /// <summary>A binding to views of the slot's buffers, for one shape.</summary>
    private sealed class FixedRun : IDisposable
    {
        private readonly OrtValue[] _views;

        public FixedRun(TwoStageGraphs graphs, DeviceBuffer[] buffers, IReadOnlyList<long[]> shapes)
        {
            _views = [.. buffers.Select((buffer, index) => buffer.View(graphs.TypeOf(index), shapes[index]))];
            Binding = graphs.Backbone.Bind();
            foreach (var (index, view) in _views.Index())
            {
                Binding.BindOutput(graphs.BackboneOutputs[index], view);
            }
        }

        public GraphBinding Binding { get; }

        public IReadOnlyList<OrtValue> Outputs => _views;

        public void Dispose()
        {
            Binding.Dispose();
            foreach (var view in _views)
            {
                view.Dispose();
            }
        }
    }
}
