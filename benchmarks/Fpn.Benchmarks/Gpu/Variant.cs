using Fpn.Service.Model;

namespace Fpn.Benchmarks.Gpu;

/// <summary>A model in one arithmetic.</summary>
/// <param name="Model">Name of the float32 package, for reports.</param>
/// <param name="Precision"><c>fp32</c>, <c>tf32</c> (float32 with the GPU's shorter products) or <c>fp16</c>.</param>
/// <param name="Contract">The package that is run.</param>
internal sealed record Variant(string Model, string Precision, ModelContract Contract)
{
    /// <summary>Ending of a float16 package's name.</summary>
    public const string HalfSuffix = "-fp16";

    /// <summary>Name in figures: <c>resnet50-fpn.fp16</c>.</summary>
    public string Key => $"{Model}.{Precision}";

    /// <summary>Whether products of float32 may be shortened.</summary>
    public bool Tf32 => Precision == "tf32";

    /// <summary>
    /// Proposals of every image, where the package suppresses none so that the head's work is always the same; else
    /// null.
    /// </summary>
    public int? PinnedRois => Contract.Proposals.NmsThreshold >= 1 ? Contract.Proposals.PostNmsTopN : null;

    /// <summary>The variants of the packages in a folder, larger models last.</summary>
    /// <param name="models">The folder.</param>
    /// <param name="gpu">Whether TF32 means anything.</param>
    /// <exception cref="ArgumentException">There is no package.</exception>
    public static IReadOnlyList<Variant> Find(string models, bool gpu)
    {
        var contracts = Directory.EnumerateDirectories(models)
            .Where(folder => File.Exists(Path.Combine(folder, ModelManifestReader.FileName)))
            .Select(ModelManifestReader.Read)
            .Where(contract => contract.Layout == ModelLayout.TwoStage)
            .OrderBy(contract => contract.Input.MinSize)
            .ThenBy(contract => contract.Name, StringComparer.Ordinal);
        List<Variant> variants = [];
        foreach (var contract in contracts)
        {
            if (contract.Name.EndsWith(HalfSuffix, StringComparison.Ordinal))
            {
                variants.Add(new(contract.Name[..^HalfSuffix.Length], "fp16", contract));
                continue;
            }

            variants.Add(new(contract.Name, "fp32", contract));
            if (gpu)
            {
                variants.Add(new(contract.Name, "tf32", contract));
            }
        }

        return variants.Count > 0 ? variants : throw new ArgumentException($"'{models}' holds no two-stage package.");
    }
}
