using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Tensors;
using Fpn.Models.Execution.Sessions;
using Fpn.Models.Packages;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Fpn.Models.TwoStage;

/// <summary>What the two graphs of a two-stage model are: names, element types, columns and strides.</summary>
/// <remarks>
/// Immutable. Shape letters: B images, L levels, A anchors per cell, h×w a level's grid, D feature channels, R RoIs,
/// C classes.
/// </remarks>
internal sealed record GraphContract
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

    private readonly TensorElementType[] _types;

    private GraphContract(ModelContract model, OnnxGraph backbone, OnnxGraph head)
    {
        Levels = model.Anchors.Levels;
        PooledLevels = [.. Enumerable.Range(0, Levels.Count).Where(level => Levels[level].Pooled)];
        var pooledNames = PooledLevels.Select(level => Levels[level].Name).ToArray();
        BackboneOutputs =
        [
            .. pooledNames,
            .. Levels.SelectMany(level => new[] { $"objectness_{level.Name}", $"deltas_{level.Name}" }),
        ];
        HeadInputs = [.. pooledNames, .. pooledNames.Select(name => $"rois_{name}")];
        _types = [.. BackboneOutputs.Select(output => backbone.RequireOutput(output, 4))];
        RequireHeadInputs(head);
        var classes = model.RoiHeads.Classes;
        ClassLogits = new TensorRow(head.RequireOutput(ClassLogitsOutput, 2), classes + 1);
        BoxDeltas = new TensorRow(head.RequireOutput(BoxDeltasOutput, 2), model.RoiHeads.BoxDeltas switch
        {
            BoxDeltasLayout.Agnostic => 4,
            BoxDeltasLayout.PerClass => 4 * classes,
            _ => 4 * (classes + 1),
        });
        Pixels = ReadPixels(model, backbone);
        BackboneInputs = Pixels == PixelType.UInt8 ? [ImagesInput, ImageSizesInput] : [ImagesInput];
    }

    /// <summary>Outputs of the head: class logits, box deltas.</summary>
    public static IReadOnlyList<string> HeadOutputs { get; } = [ClassLogitsOutput, BoxDeltasOutput];

    /// <summary>All levels, finest first.</summary>
    public IReadOnlyList<PyramidLevel> Levels { get; }

    /// <summary>Those of <see cref="Levels"/> that RoIs are pooled from, by index.</summary>
    public IReadOnlyList<int> PooledLevels { get; }

    /// <summary>How the backbone takes its images.</summary>
    public PixelType Pixels { get; }

    /// <summary>The images; and their sizes where they are bytes.</summary>
    public IReadOnlyList<string> BackboneInputs { get; }

    /// <summary>Features of the pooled levels; then objectness and deltas of each level.</summary>
    public IReadOnlyList<string> BackboneOutputs { get; }

    /// <summary>Features of the pooled levels; then the RoIs of each.</summary>
    public IReadOnlyList<string> HeadInputs { get; }

    /// <summary>A row of the class logits: C + 1 columns.</summary>
    public TensorRow ClassLogits { get; }

    /// <summary>A row of the box deltas: 4K columns.</summary>
    public TensorRow BoxDeltas { get; }

    /// <summary>log2 of the first pooled level's stride, 2 for P2; 0 until the graphs have run.</summary>
    public int FirstPooledStrideLog2 { get; init; }

    /// <summary>log2 of the last pooled level's stride, 5 for P5; 0 until the graphs have run.</summary>
    public int LastPooledStrideLog2 { get; init; }

    /// <summary>Reads names and element types of two graphs, and checks them.</summary>
    /// <exception cref="ModelPackageException">A graph does not fit the manifest.</exception>
    public static GraphContract Read(ModelContract model, OnnxGraph backbone, OnnxGraph head) =>
        new(model, backbone, head);

    /// <summary>Place of a level's objectness logits [B, A, h, w] among the backbone's outputs.</summary>
    public int Objectness(int level) => PooledLevels.Count + (2 * level);

    /// <summary>Place of a level's deltas [B, 4A, h, w] among the backbone's outputs.</summary>
    public int Deltas(int level) => Objectness(level) + 1;

    /// <summary>Whether an output of the backbone is read by the head only.</summary>
    public bool IsFeature(int output) => output < PooledLevels.Count;

    /// <summary>Element type of an output of the backbone.</summary>
    public TensorElementType OutputType(int output) => _types[output];

    private void RequireHeadInputs(OnnxGraph head)
    {
        foreach (var (index, input) in HeadInputs.Index())
        {
            var isRois = index >= PooledLevels.Count;
            var type = head.RequireInput(input, isRois ? 2 : 4);
            var expected = isRois ? TensorElementType.Float : _types[index];
            if (type != expected)
            {
                throw new ModelPackageException($"{head.Path}: input '{input}' must be {expected}; it is {type}.");
            }
        }

        head.RequireNoOtherInputs(HeadInputs);
    }

    private static PixelType ReadPixels(ModelContract model, OnnxGraph backbone)
    {
        var type = backbone.RequireInput(ImagesInput, 4);
        if (type != TensorElementType.UInt8)
        {
            backbone.RequireNoOtherInputs([ImagesInput]);
            return type switch
            {
                TensorElementType.Float => PixelType.Float32,
                TensorElementType.Float16 => PixelType.Float16,
                _ => throw new ModelPackageException(
                    $"{backbone.Path}: input '{ImagesInput}' must be float32, float16 or uint8; it is {type}."),
            };
        }

        if (model.Input.Resize != ResizeFilter.BilinearAntialias)
        {
            throw new ModelPackageException(
                $"{backbone.Path}: input '{ImagesInput}' is uint8, which needs 'input.resize' of model.json to be "
                + "'bilinear-antialias': the other resize gives no bytes.");
        }

        var sizes = backbone.RequireInput(ImageSizesInput, 2);
        if (sizes != TensorElementType.Int64)
        {
            throw new ModelPackageException(
                $"{backbone.Path}: input '{ImageSizesInput}' must be int64; it is {sizes}.");
        }

        backbone.RequireNoOtherInputs([ImagesInput, ImageSizesInput]);
        return PixelType.UInt8;
    }
}
