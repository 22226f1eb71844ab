using System.Security.Cryptography;
using Fpn.Testing.Goldens;

namespace Fpn.Testing.Packages;

/// <summary>A model in one graph that always finds the same three boxes.</summary>
internal static class EndToEndPackage
{
    /// <summary>Writes the package <c>constant</c>.</summary>
    /// <param name="models">The folder of packages.</param>
    public static void WriteTo(string models)
    {
        var graph = File.ReadAllBytes(GoldenFolder.At("end-to-end", "constant.onnx"));
        var package = Directory.CreateDirectory(Path.Combine(models, "constant")).FullName;
        File.WriteAllBytes(Path.Combine(package, "model.onnx"), graph);
        var checksum = Convert.ToHexStringLower(SHA256.HashData(graph));
        File.WriteAllText(Path.Combine(package, "model.json"), $$"""
            {
              "name": "constant", "version": "1", "layout": "end-to-end",
              "files": { "model": { "path": "model.onnx", "sha256": "{{checksum}}" } },
              "input": { "minSize": 384, "maxSize": 640 },
              "endToEnd": {
                "input": "image", "rank": 3, "resizeInside": false,
                "boxes": "6379", "labels": "6381", "scores": "6383", "boxSpace": "resized"
              },
              "labels": ["one", "two", "three"]
            }
            """);
    }
}
