using Fpn.Detection.Anchors;
using Fpn.Detection.Conventions;
using Fpn.Detection.Preprocessing;
using Fpn.Detection.Proposals;
using Fpn.Detection.RoiHeads;
using Fpn.Detection.Views;

namespace Fpn.Models.Packages;

/// <summary>How a model is cut into graphs.</summary>
internal enum ModelLayout
{
    /// <summary><c>backbone.onnx</c> and <c>head.onnx</c>; everything between and after them is computed here, any
    /// batch size.</summary>
    TwoStage,

    /// <summary>One graph with everything inside, one image at a time.</summary>
    EndToEnd,
}

/// <summary>How an end-to-end graph is fed and read.</summary>
/// <param name="Input">Name of the image input.</param>
/// <param name="Rank">3 for [3, H, W], 4 for [1, 3, H, W].</param>
/// <param name="ResizeInside">The graph resizes and normalizes images: it is given pixels times <c>input.scale</c> in
/// the original size.</param>
/// <param name="Boxes">Output [M, 4], xyxy.</param>
/// <param name="Labels">Output [M], class numbers.</param>
/// <param name="Scores">Output [M].</param>
/// <param name="BoxesInOriginal">Boxes come in the original image's pixels; otherwise in those of the resized
/// image.</param>
internal sealed record EndToEndOptions(
    string Input, int Rank, bool ResizeInside, string Boxes, string Labels, string Scores, bool BoxesInOriginal);

/// <summary>What a model package promises: everything that the code around the graphs has to know of them.</summary>
/// <remarks>Immutable, checked by <see cref="ModelManifestReader"/>: defaults of the convention are filled in, every
/// number is in range.</remarks>
internal sealed record ModelContract
{
    /// <summary>Name of the model.</summary>
    public required string Name { get; init; }

    /// <summary>Version of the package: the number of its version folder, or else free text.</summary>
    public required string Version { get; init; }

    /// <summary>How the model is cut into graphs.</summary>
    public required ModelLayout Layout { get; init; }

    /// <summary>Whose arithmetic it was trained with.</summary>
    public required Convention Convention { get; init; }

    /// <summary>One sentence for people.</summary>
    public string? Description { get; init; }

    /// <summary>Licence of the weights.</summary>
    public string? License { get; init; }

    /// <summary>Where the weights come from.</summary>
    public string? Source { get; init; }

    /// <summary>The graphs by role: <c>backbone</c> and <c>head</c>, or <c>model</c>.</summary>
    public required IReadOnlyDictionary<string, GraphFile> Files { get; init; }

    /// <summary>How images become the input tensor.</summary>
    public required InputOptions Input { get; init; }

    /// <summary>Levels and anchors; empty for end-to-end models.</summary>
    public required AnchorOptions Anchors { get; init; }

    /// <summary>How proposals are chosen.</summary>
    public required ProposalOptions Proposals { get; init; }

    /// <summary>Which level a RoI is pooled from.</summary>
    public required LevelAssignmentOptions LevelAssignment { get; init; }

    /// <summary>How detections are chosen; for end-to-end models only the thresholds and the background
    /// count.</summary>
    public required RoiHeadsOptions RoiHeads { get; init; }

    /// <summary>Which looks are taken at an image where the request does not say.</summary>
    public ViewOptions Views { get; init; } = ViewOptions.OneView;

    /// <summary>How an end-to-end graph is fed and read; null for two-stage models.</summary>
    public EndToEndOptions? EndToEnd { get; init; }

    /// <summary>Why detections of this model cannot be explained, in words for clients; null where they can.</summary>
    public string? ExplainRefusal => Layout == ModelLayout.TwoStage
        ? null
        : $"The model '{Name}' decides inside its graph: there is nothing to explain. Ask without explain.";

    /// <summary>Why one stage of this model cannot be asked alone, in words for clients; null where it can.</summary>
    public string? StageRefusal => Layout == ModelLayout.TwoStage
        ? null
        : $"The model '{Name}' decides inside its graph: its stages cannot be asked alone. Ask a model of two stages.";

    /// <summary>Why images cannot be resized to scales for this model, in words for clients; null where they
    /// can.</summary>
    public string? ScalesRefusal => EndToEnd is { ResizeInside: true }
        ? $"The model '{Name}' resizes images inside its graph: it has no other scales. Ask without scales."
        : null;

    /// <summary>Class names; a detection's label is an index into them.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>The number that stands for each label outside, such as COCO's category ids.</summary>
    public required IReadOnlyList<int> ClassIds { get; init; }
}
