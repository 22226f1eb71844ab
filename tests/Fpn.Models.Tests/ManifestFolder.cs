using Fpn.Models.Packages;

namespace Fpn.Models.Tests;

/// <summary>A package that holds a manifest and graphs that are empty files: reading a manifest does not load
/// them.</summary>
internal sealed class ManifestFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("fpn-manifest-");

    /// <summary>Where the package is; it exists once a manifest was read.</summary>
    public string Package => Path.Combine(_folder.FullName, "blood-cells");

    /// <summary>The file of the manifest.</summary>
    public string Manifest => Path.Combine(Package, ModelManifestReader.FileName);

    /// <summary>A two-stage manifest that says no more than it must, and <paramref name="keys"/>.</summary>
    public static string Shortest(string keys) => $$"""
        {
          "name": "blood-cells", "version": "1", {{keys}}
          "files": {
            "backbone": { "path": "backbone.onnx", "sha256": "{{new string('0', 64)}}" },
            "head": { "path": "head.onnx", "sha256": "{{new string('F', 64)}}" }
          },
          "input": { "minSize": 800, "maxSize": 1333 },
          "levels": [
            { "name": "p2", "anchorSizes": [32], "pooled": true },
            { "name": "p3", "anchorSizes": [64], "pooled": true },
            { "name": "p4", "anchorSizes": [128], "pooled": true },
            { "name": "p5", "anchorSizes": [256], "pooled": true },
            { "name": "p6", "anchorSizes": [512], "pooled": false }
          ],
          "labels": ["cat", "dog"]
        }
        """;

    /// <summary>An end-to-end manifest that says no more than it must, and <paramref name="keys"/>, which begin with a
    /// comma.</summary>
    public static string EndToEnd(string keys) => $$"""
        {
          "name": "blood-cells", "version": "1", "layout": "end-to-end",
          "files": { "model": { "path": "model.onnx", "sha256": "{{new string('0', 64)}}" } },
          "input": { "minSize": 800, "maxSize": 1333 },
          "labels": ["cat", "dog"]{{keys}}
        }
        """;

    /// <summary>Reads a manifest. The folder beside the package holds a head, too.</summary>
    public ModelContract Read(string manifest)
    {
        Directory.CreateDirectory(Package);
        var neighbor = Directory.CreateDirectory($"{Package}-2").FullName;
        foreach (var file in new[] { "backbone.onnx", "head.onnx", "model.onnx" })
        {
            File.WriteAllBytes(Path.Combine(Package, file), []);
        }

        File.WriteAllBytes(Path.Combine(neighbor, "head.onnx"), []);
        File.WriteAllText(Manifest, manifest);
        return ModelManifestReader.Read(Package, Path.GetFileName(Package));
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
