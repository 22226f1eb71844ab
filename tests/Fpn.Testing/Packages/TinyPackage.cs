using static Fpn.Testing.Packages.TinyOnnx.Element;

namespace Fpn.Testing.Packages;

/// <summary>
/// A two-stage package without training: each level is the picture shrunk by its stride, so that strides and levels
/// can be whatever a test wants. One anchor a cell.
/// </summary>
internal sealed record TinyPackage
{
    /// <summary>Levels that the backbone has, with their strides; all but those in <see cref="Unpooled"/> are
    /// pooled.</summary>
    public IReadOnlyList<(string Name, int Stride)> Levels { get; init; } =
        [("p3", 8), ("p4", 16), ("p5", 32), ("p6", 64)];

    /// <summary>Levels that are judged only.</summary>
    public IReadOnlyList<string> Unpooled { get; init; } = ["p6"];

    /// <summary>Order in which the head gives its rows; null is that of the levels.</summary>
    public IReadOnlyList<string>? RowOrder { get; init; }

    /// <summary>Dimensions that the backbone declares for its images.</summary>
    public string[] Images { get; init; } = ["N", "3", "H", "W"];

    /// <summary>What <c>model.json</c> says of levels.</summary>
    public string? ManifestLevels { get; init; }

    /// <summary>Classes that are not background.</summary>
    public int Classes { get; init; } = 1;

    /// <summary>More members of <c>model.json</c>.</summary>
    public string Manifest { get; init; } = string.Empty;

    /// <summary>Writes the package.</summary>
    /// <returns>Its folder.</returns>
    public string WriteTo(string parent, string name)
    {
        var package = Directory.CreateDirectory(Path.Combine(parent, name)).FullName;
        var (backbone, head) = (Backbone().ToBytes(), Head().ToBytes());
        File.WriteAllBytes(Path.Combine(package, "backbone.onnx"), backbone);
        File.WriteAllBytes(Path.Combine(package, "head.onnx"), head);
        var levels = ManifestLevels ?? Entries(
            Levels.Select(level => Unpooled.Contains(level.Name) ? $"-{level.Name}" : level.Name));
        File.WriteAllText(Path.Combine(package, "model.json"), $$"""
            {
              "name": "{{name}}", "version": "1", {{Manifest}}
              "files": {
                "backbone": { "path": "backbone.onnx", "sha256": "{{ModelFolder.Sha256(backbone)}}" },
                "head": { "path": "head.onnx", "sha256": "{{ModelFolder.Sha256(head)}}" }
              },
              "input": { "minSize": 64, "maxSize": 128 },
              "levels": [{{levels}}],
              "aspectRatios": [1],
              "labels": [{{string.Join(", ", Enumerable.Range(1, Classes).Select(label => $"\"thing {label}\""))}}]
            }
            """);
        return package;
    }

    /// <summary>Levels as <c>model.json</c> has them.</summary>
    /// <param name="names">Names; those that begin with '-' are not pooled.</param>
    public static string Entries(params IEnumerable<string> names) => string.Join(", ", names.Select(name =>
        $$"""{ "name": "{{name.TrimStart(
            '-')}}", "anchorSizes": [32], "pooled": {{(name[0] == '-' ? "false" : "true")}} }"""));

    private TinyOnnx Backbone()
    {
        var graph = new TinyOnnx()
            .Input("images", Float, Images)
            .Weights("w1", [.5f, .25f, .125f], 1, 3, 1, 1)
            .Weights("w4", [.. Enumerable.Range(0, 12).Select(i => i / 64f)], 4, 3, 1, 1);
        foreach (var (index, (name, stride)) in Levels.Index())
        {
            // Each level's own features, or rows of different levels could not be told apart.
            graph.Weights($"bias_{name}", (float[])[index + 1], 1, 1, 1, 1)
                .Node("AveragePool", "images", $"mean_{name}", ("kernel_shape", (long[])[stride, stride]),
                    ("strides", (long[])[stride, stride]), ("ceil_mode", 1))
                .Node("Add", $"mean_{name} bias_{name}", name)
                .Node("Conv", $"mean_{name} w1", $"objectness_{name}")
                .Node("Conv", $"mean_{name} w4", $"deltas_{name}")
                .Output($"objectness_{name}", Float, "N", "1", $"h_{name}", $"w_{name}")
                .Output($"deltas_{name}", Float, "N", "4", $"h_{name}", $"w_{name}");
            if (!Unpooled.Contains(name))
            {
                graph.Output(name, Float, "N", "3", $"h_{name}", $"w_{name}");
            }
        }

        return graph;
    }

    private TinyOnnx Head()
    {
        var scores = Classes + 1;
        var graph = new TinyOnnx()
            .Weights("zero", [0L], 1).Weights("one", [1L], 1).Weights("five", [5L], 1)
            .Weights(
                "logits", [.. Enumerable.Range(0, 3 * scores).Select(i => i % scores == 0 ? .25f : .5f)], 3, scores)
            .Weights("deltas", new float[3 * 4 * scores], 3, 4 * scores);
        var pooled = Levels.Where(level => !Unpooled.Contains(level.Name)).ToArray();
        foreach (var (name, stride) in pooled)
        {
            graph.Input(name, Float, "N", "3", $"h_{name}", $"w_{name}").Input($"rois_{name}", Float, $"R_{name}", "5")
                .Node("Slice", $"rois_{name} zero one one", $"index_{name}")
                .Node("Squeeze", $"index_{name} one", $"flat_{name}")
                .Node("Cast", $"flat_{name}", $"batch_{name}", ("to", 7))
                .Node("Slice", $"rois_{name} one five one", $"boxes_{name}")
                .Node("RoiAlign", $"{name} boxes_{name} batch_{name}", $"roi_{name}",
                    ("output_height", 1), ("output_width", 1), ("sampling_ratio", 2), ("spatial_scale", 1f / stride),
                        ("coordinate_transformation_mode", "output_half_pixel"));
        }

        var order = RowOrder ?? [.. pooled.Select(level => level.Name)];
        return graph
            .Node("Concat", string.Join(' ', order.Select(name => $"roi_{name}")), "rois", ("axis", 0))
            .Node("Flatten", "rois", "rows")
            .Node("MatMul", "rows logits", "class_logits")
            .Node("MatMul", "rows deltas", "box_deltas")
            .Output("class_logits", Float, "R", $"{scores}")
            .Output("box_deltas", Float, "R", $"{4 * scores}");
    }
}
