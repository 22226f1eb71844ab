using System.Security.Cryptography;
using Fpn.Testing.Running;

namespace Fpn.Testing.Packages;

/// <summary>A folder of model packages made from the committed one; deleted at the end.</summary>
internal sealed class ModelFolder : IDisposable
{
    private const string Original = "blood-cells";

    /// <summary>Where the packages are.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("fpn-models-").FullName;

    /// <summary>The committed package's manifest.</summary>
    public static string OriginalManifest { get; } = File.ReadAllText(OriginalFile("model.json"));

    /// <summary>The path of a file in the committed package.</summary>
    public static string OriginalFile(string name) => System.IO.Path.Combine(Checkout.Models, Original, name);

    /// <summary>Adds a package.</summary>
    /// <param name="name">Its name, in the manifest too.</param>
    /// <param name="manifest">Changes the manifest; null leaves it.</param>
    /// <param name="graphs">Changed graphs by role, <c>backbone</c> or <c>head</c>; the manifest gets their
    /// checksums.</param>
    /// <returns>The package's folder.</returns>
    public string Add(
        string name = Original, Func<string, string>? manifest = null, params (string Role, byte[] Bytes)[] graphs) =>
        AddAt(name, name, manifest, graphs);

    /// <summary>Adds a version of a model.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="version">Name of the version's folder, a number as a rule.</param>
    /// <param name="scoreThreshold">Detections have greater scores, so that the answers of versions differ.</param>
    /// <returns>The package's folder.</returns>
    public string AddVersion(string name, string version, string scoreThreshold = "0.05") => AddAt(
        System.IO.Path.Combine(name, version),
        name,
        text => Edit(
            text,
            "\"detection\": { \"scoreThreshold\": 0.05",
            $"\"detection\": {{ \"scoreThreshold\": {scoreThreshold}"));

    private string AddAt(
        string folder, string name, Func<string, string>? manifest, params (string Role, byte[] Bytes)[] graphs)
    {
        var package = Directory.CreateDirectory(System.IO.Path.Combine(Path, folder)).FullName;
        var text = Edit(OriginalManifest, $"\"name\": \"{Original}\"", $"\"name\": \"{name}\"");
        foreach (var role in new[] { "backbone", "head" })
        {
            var (file, original) = (System.IO.Path.Combine(package, $"{role}.onnx"), OriginalFile($"{role}.onnx"));
            if (Array.Find(graphs, graph => graph.Role == role).Bytes is { } bytes)
            {
                File.WriteAllBytes(file, bytes);
                text = Edit(text, Sha256(File.ReadAllBytes(original)), Sha256(bytes));
            }
            else
            {
                File.CreateSymbolicLink(file, original);
            }
        }

        File.WriteAllText(System.IO.Path.Combine(package, "model.json"), manifest is null ? text : manifest(text));
        return package;
    }

    /// <summary>
    /// Adds a package that passes its start, and fails on <see cref="Checkout.WideImage"/>: there, the values of one
    /// output have a number added.
    /// </summary>
    public string AddSpoiled(string name, string output, float value)
    {
        // 900 x 600 becomes 576 x 384: p2 has a quarter of it. What a start tries is 512 pixels wide.
        var (role, where) =
            output is "class_logits" or "box_deltas" ? ("head", ("p2", 144L)) : ("backbone", ("images", 576L));
        return Add(name, null,
            (role, OnnxEdit.AddToOutput(File.ReadAllBytes(OriginalFile($"{role}.onnx")), output, value, where)));
    }

    /// <summary>Replaces text that must be there.</summary>
    public static string Edit(string text, string from, string to)
    {
        Assert.Contains(from, text, StringComparison.Ordinal);
        return text.Replace(from, to, StringComparison.Ordinal);
    }

    /// <summary>A checksum as manifests have it.</summary>
    public static string Sha256(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
