using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Geometry;
using Fpn.Detection.Tensors;
using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.TwoStage;

/// <summary>The two graphs of a two-stage model, held against its manifest.</summary>
/// <remarks>Shape letters: B images, L levels, A anchors per cell, h×w a level's grid, D feature channels, R RoIs, C classes.</remarks>
internal sealed class TwoStageGraphs : IDisposable
{
    /// <summary>Input of the backbone: the images.</summary>
    public const string ImagesInput = "images";

    /// <summary>
    /// Second input of a backbone that takes bytes: [B, 2], height and width of each image without its padding.
    /// </summary>
    public const string ImageSizesInput = "image_sizes";

    /// <summary>Output of the head: [R, C + 1].</summary>
    public const string ClassLogitsOutput = "class_logits";

    /// <summary>Output of the head: [R, 4K].</summary>
    public const string BoxDeltasOutput = "box_deltas";

    private readonly ModelContract _contract;
    private readonly TensorElementType[] _types;
    private readonly Dictionary<ImageSize, long[][]> _learned = [];
    private readonly Dictionary<(ImageSize Bucket, int Images), OnnxGraph> _ownBackbones = [];

    /// <summary>Loads both graphs, checks their names, and runs them once to check their shapes.</summary>
    /// <param name="contract">What the graphs must fit.</param>
    /// <param name="device">What they run on.</param>
    /// <exception cref="ModelPackageException">A graph cannot be loaded or does not fit the manifest.</exception>
    public TwoStageGraphs(ModelContract contract, ExecutionDevice device)
    {
        _contract = contract;
        Device = device;
        Levels = contract.Anchors.Levels;
        PooledLevels = [.. Enumerable.Range(0, Levels.Count).Where(level => Levels[level].Pooled)];
        var pooledNames = PooledLevels.Select(level => Levels[level].Name).ToArray();
        BackboneOutputs =
            [.. pooledNames, .. Levels.SelectMany(level => new[] { $"objectness_{level.Name}", $"deltas_{level.Name}" })];
        HeadInputs = [.. pooledNames, .. pooledNames.Select(name => $"rois_{name}")];

        Backbone = OnnxGraph.Load(contract.Files["backbone"], device);
        try
        {
            Head = OnnxGraph.Load(contract.Files["head"], device);
            _types = [.. BackboneOutputs.Select(output => Backbone.RequireOutput(output, 4))];
            Pixels = RequireInterface(contract);
            BackboneInputs = Pixels == PixelType.UInt8 ? [ImagesInput, ImageSizesInput] : [ImagesInput];
            (FirstPooledStrideLog2, LastPooledStrideLog2) = Probe(contract);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Images to features, objectness and deltas.</summary>
    public OnnxGraph Backbone { get; }

    /// <summary>Features and RoIs to class logits and box deltas.</summary>
    public OnnxGraph Head { get; }

    /// <summary>What they run on.</summary>
    public ExecutionDevice Device { get; }

    /// <summary>How the backbone wants its images.</summary>
    public PixelType Pixels { get; }

    /// <summary>Outputs of the head: class logits, box deltas.</summary>
    public static IReadOnlyList<string> HeadOutputs { get; } = [ClassLogitsOutput, BoxDeltasOutput];

    /// <summary>The images; and their sizes where they are bytes.</summary>
    public IReadOnlyList<string> BackboneInputs { get; }

    /// <summary>Features of the pooled levels; then objectness and deltas of each level.</summary>
    public IReadOnlyList<string> BackboneOutputs { get; }

    /// <summary>Features of the pooled levels; then the RoIs of each.</summary>
    public IReadOnlyList<string> HeadInputs { get; }

    /// <summary>A row of the class logits.</summary>
    public TensorRow ClassLogits { get; private set; }

    /// <summary>A row of the box deltas.</summary>
    public TensorRow BoxDeltas { get; private set; }

    /// <summary>The shapes to run in; null where every batch has its own.</summary>
    public FixedShapes? Fixed { get; private set; }

    /// <summary>Shapes that the backbone has run in.</summary>
    public ShapeLog BackboneShapes { get; } = new();

    /// <summary>Shapes that the head has run in: numbers of RoIs.</summary>
    public ShapeLog HeadShapes { get; } = new();

    /// <summary>All levels, finest first.</summary>
    public IReadOnlyList<PyramidLevel> Levels { get; }

    /// <summary>Those of <see cref="Levels"/> that RoIs are pooled from, by index.</summary>
    public IReadOnlyList<int> PooledLevels { get; }

    /// <summary>log2 of the first pooled level's stride: 2 for P2.</summary>
    public int FirstPooledStrideLog2 { get; }

    /// <summary>log2 of the last pooled level's stride: 5 for P5.</summary>
    public int LastPooledStrideLog2 { get; }

    /// <summary>Place of a level's objectness logits [B, A, h, w] among the backbone's outputs.</summary>
    public int Objectness(int level) => PooledLevels.Count + (2 * level);

    /// <summary>Place of a level's deltas [B, 4A, h, w] among the backbone's outputs.</summary>
    public int Deltas(int level) => Objectness(level) + 1;

    /// <summary>Whether an output of the backbone is read by the head only.</summary>
    public bool IsFeature(int output) => output < PooledLevels.Count;

    /// <summary>Element type of an output of the backbone.</summary>
    public TensorElementType TypeOf(int output) => _types[output];

    /// <summary>
    /// Where an output of the backbone is wanted: features on the device, the rest where the CPU reads it.
    /// </summary>
    public OrtMemoryInfo MemoryOf(int output) => IsFeature(output) ? Device.Memory : OrtMemoryInfo.DefaultInstance;

    /// <summary>
    /// Runs the backbone once in each bucket to learn the shapes of its outputs, and loads the sessions that the shapes
    /// ask for; slots made afterwards have memory for the largest batch. To be called before the first slot is made.
    /// </summary>
    /// <exception cref="ModelFailureException">The device has no room for the sessions.</exception>
    public void Fix(FixedShapes shapes)
    {
        Fixed = null;
        _learned.Clear();
        DisposeOwnBackbones();
        using var slot = new GraphSlot(this);
        foreach (var bucket in shapes.Buckets)
        {
            using var images = ImageBatch.Rent(1, bucket, Pixels, Device.InputMemory);
            images.Clear(0);
            using var outputs = slot.RunBackbone(images, []);
            _learned[bucket] =
                [.. BackboneOutputs.Select((_, index) => outputs[index].GetTensorTypeAndShape().Shape)];
        }

        foreach (var bucket in shapes.SessionPerShape ? shapes.Buckets : [])
        {
            foreach (var images in shapes.BatchSizes)
            {
                _ownBackbones.Add((bucket, images), LoadBackboneAgain());
            }
        }

        Fixed = shapes;
    }

    /// <summary>The session that runs the backbone in a shape.</summary>
    public OnnxGraph BackboneFor(ImageSize bucket, int images) =>
        _ownBackbones.GetValueOrDefault((bucket, images), Backbone);

    /// <summary>Shapes of the backbone's outputs for a batch; null when there is no memory set apart for it.</summary>
    public IReadOnlyList<long[]>? ShapesOf(ImageSize bucket, int images) =>
        Fixed is not null && images <= Fixed.BatchSizes[^1] && _learned.TryGetValue(bucket, out var shapes)
            ? [.. shapes.Select(shape => (long[])[images, .. shape[1..]])]
            : null;

    /// <summary>Bytes of an output of the backbone in the largest of the fixed shapes.</summary>
    public long LargestOutput(int output)
    {
        var elements = _learned.Values.Max(shapes => shapes[output].Aggregate(1L, (product, side) => product * side));
        return elements * Fixed!.BatchSizes[^1] * FloatTensor.BytesOf(_types[output]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        DisposeOwnBackbones();
        Backbone.Dispose();
        Head?.Dispose();
    }

    /// <summary>Another session of the backbone.</summary>
    /// <exception cref="ModelFailureException">The device has no room for it: fewer shapes would fit.</exception>
    private OnnxGraph LoadBackboneAgain()
    {
        try
        {
            return OnnxGraph.Load(_contract.Files["backbone"], Device);
        }
        catch (ModelPackageException exception) when (exception.InnerException is OnnxRuntimeException)
        {
            // It could be loaded before, so nothing is wrong with the file.
            throw new ModelFailureException(exception.Message, exception);
        }
    }

    private void DisposeOwnBackbones()
    {
        foreach (var backbone in _ownBackbones.Values)
        {
            backbone.Dispose();
        }

        _ownBackbones.Clear();
    }

    private PixelType RequireInterface(ModelContract contract)
    {
        foreach (var (index, input) in HeadInputs.Index())
        {
            var isRois = index >= PooledLevels.Count;
            var type = Head.RequireInput(input, isRois ? 2 : 4);
            var expected = isRois ? TensorElementType.Float : _types[index];
            if (type != expected)
            {
                throw new ModelPackageException($"{Head.Path}: input '{input}' must be {expected}; it is {type}.");
            }
        }

        Head.RequireNoOtherInputs(HeadInputs);
        ClassLogits = new(Head.RequireOutput(ClassLogitsOutput, 2), 0);
        BoxDeltas = new(Head.RequireOutput(BoxDeltasOutput, 2), 0);
        return RequireImages(contract);
    }

    private PixelType RequireImages(ModelContract contract)
    {
        var type = Backbone.RequireInput(ImagesInput, 4);
        if (type != TensorElementType.UInt8)
        {
            Backbone.RequireNoOtherInputs([ImagesInput]);
            return type switch
            {
                TensorElementType.Float => PixelType.Float32,
                TensorElementType.Float16 => PixelType.Float16,
                _ => throw new ModelPackageException(
                    $"{Backbone.Path}: input '{ImagesInput}' must be float32, float16 or uint8; it is {type}."),
            };
        }

        if (contract.Input.Resize != ResizeFilter.BilinearAntialias)
        {
            throw new ModelPackageException(
                $"{Backbone.Path}: input '{ImagesInput}' is uint8, which needs 'input.resize' of model.json to be 'bilinear-antialias': the other resize gives no bytes.");
        }

        var sizes = Backbone.RequireInput(ImageSizesInput, 2);
        if (sizes != TensorElementType.Int64)
        {
            throw new ModelPackageException($"{Backbone.Path}: input '{ImageSizesInput}' must be int64; it is {sizes}.");
        }

        Backbone.RequireNoOtherInputs([ImagesInput, ImageSizesInput]);
        return PixelType.UInt8;
    }

    /// <summary>Runs both graphs on one empty image, with one RoI a pooled level: wrong shapes stop the start, not a request.</summary>
    /// <returns>log2 of the first and of the last pooled level's stride.</returns>
    private (int First, int Last) Probe(ModelContract contract)
    {
        GraphCheck.RequireDeclared(this);
        var side = GraphCheck.ProbeSide(contract);
        var anchorsPerRatio = contract.Anchors.AspectRatios.Count;
        try
        {
            using var slot = new GraphSlot(this);
            using var images = ImageBatch.Rent(1, new ImageSize(side, side), Pixels, Device.InputMemory);
            images.Clear(0);
            using var outputs = slot.RunBackbone(images, []);
            for (var level = 0; level < Levels.Count; level++)
            {
                var anchors = Levels[level].AnchorSizes.Count * anchorsPerRatio;
                var grid = ShapeOf(Objectness(level));
                RequireShape(
                    Backbone, BackboneOutputs[Objectness(level)], grid, [1, anchors, grid[2], grid[3]], AnchorKeys(level));
                RequireShape(
                    Backbone,
                    BackboneOutputs[Deltas(level)],
                    ShapeOf(Deltas(level)),
                    [1, 4 * anchors, grid[2], grid[3]],
                    AnchorKeys(level));
            }

            GraphCheck.RequireGrids(this, side, [.. BackboneOutputs.Select((_, output) => ShapeOf(output))]);
            var pooled = PooledLevels.Count;
            var rois = new float[pooled * 5];
            var counts = new int[pooled];
            Array.Fill(counts, 1);
            for (var level = 0; level < pooled; level++)
            {
                rois[(level * 5) + 3] = rois[(level * 5) + 4] = side;
            }

            using var head = slot.RunHead(outputs, rois, counts, outputs: null);
            var classes = contract.RoiHeads.Classes;
            var deltaColumns = contract.RoiHeads.BoxDeltas switch
            {
                BoxDeltasLayout.Agnostic => 4,
                BoxDeltasLayout.PerClass => 4 * classes,
                _ => 4 * (classes + 1),
            };
            RequireShape(Head, ClassLogitsOutput, head.ClassLogitsShape, [pooled, classes + 1], "labels");
            RequireShape(
                Head, BoxDeltasOutput, head.BoxDeltasShape, [pooled, deltaColumns], "labels' and 'detection.boxDeltas");
            GraphCheck.RequireRowOrder(this, rois, head, (some, on) => slot.RunHead(outputs, some, on, outputs: null));
            ClassLogits = ClassLogits with { Columns = classes + 1 };
            BoxDeltas = BoxDeltas with { Columns = deltaColumns };
            return (StrideLog2(0), StrideLog2(pooled - 1));

            long[] ShapeOf(int output) => outputs[output].GetTensorTypeAndShape().Shape;

            int StrideLog2(int feature) => (int)Math.Round(Math.Log2(side / (double)ShapeOf(feature)[2]));
        }
        catch (ModelFailureException exception)
        {
            throw new ModelPackageException($"{Path.GetDirectoryName(Backbone.Path)}: the model failed on its first run: {exception.Message}", exception);
        }

        static string AnchorKeys(int level) => $"levels[{level}].anchorSizes' and 'aspectRatios";    }

    private static void RequireShape(OnnxGraph graph, string output, long[] actual, long[] expected, string keys)
    {
        if (!actual.AsSpan().SequenceEqual(expected))
        {
            throw new ModelPackageException(
                $"{graph.Path}: output '{output}' has shape [{string.Join(", ", actual)}] where '{keys}' of model.json promise [{string.Join(", ", expected)}].");
        }
    }
}
