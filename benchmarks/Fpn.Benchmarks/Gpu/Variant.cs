using Fpn.Models.Packages;

namespace Fpn.Benchmarks.Gpu;

/// <summary>How the convolutions of a graph see their images on a GPU.</summary>
internal enum Layout
{
    /// <summary>Channel by channel, as the graph was written.</summary>
    Nchw,

    /// <summary>Pixel by pixel, as tensor cores want it.</summary>
    Nhwc,

    /// <summary>The same, each convolution with its bias and activation in one.</summary>
    NhwcFused,
}

/// <summary>A model in one arithmetic and one layout.</summary>
/// <param name="Model">Name of the float32 package, for reports.</param>
/// <param name="Precision"><c>fp32</c>, <c>tf32</c> (float32 with the GPU's shorter products) or <c>fp16</c>.</param>
/// <param name="Layout">How its convolutions run.</param>
/// <param name="Contract">The package that is run.</param>
internal sealed record Variant(string Model, string Precision, Layout Layout, ModelContract Contract)
{
    /// <summary>Ending of a float16 package's name.</summary>
    private const string HalfSuffix = "-fp16";

    /// <summary>
    /// Name on the command line and in reports: <c>fp16</c>, <c>fp16-nhwc</c>, <c>fp16-nhwc-fused</c>.
    /// </summary>
    public string Name => Layout switch
    {
        Layout.Nhwc => $"{Precision}-nhwc",
        Layout.NhwcFused => $"{Precision}-nhwc-fused",
        _ => Precision,
    };

    /// <summary>Name in figures: <c>resnet50-fpn.fp16-nhwc</c>.</summary>
    public string Key => $"{Model}.{Name}";

    /// <summary>
    /// Name in the figures of what is measured in one layout only, the best: <c>resnet50-fpn.fp16</c>.
    /// </summary>
    public string ArithmeticKey => $"{Model}.{Precision}";

    /// <summary>
    /// Whether products of float32 may be shortened; without meaning for float16, where it is the default.
    /// </summary>
    public bool Tf32 => Precision != "fp32";

    /// <summary>Whether convolutions run pixel by pixel.</summary>
    public bool PrefersNhwc => Layout != Layout.Nchw;

    /// <summary>Whether a convolution, its bias and its activation are one.</summary>
    public bool FusesConvBias => Layout == Layout.NhwcFused;

    /// <summary>
    /// Proposals of every image, where the package suppresses none so that the head's work is always the same; else
    /// null.
    /// </summary>
    public int? PinnedRois => Contract.Proposals.NmsThreshold >= 1 ? Contract.Proposals.PostNmsTopN : null;

    /// <summary>
    /// The variants of the packages in a folder, larger models last; of a model those first that matter most: on a GPU
    /// float16 and TF32 by turns, and float32 without TF32 last.
    /// </summary>
    /// <param name="packages">The folder.</param>
    /// <param name="gpu">Whether TF32 and layouts mean anything.</param>
    /// <exception cref="ArgumentException">There is no package.</exception>
    public static IReadOnlyList<Variant> Find(string packages, bool gpu)
    {
        var models = Directory.EnumerateDirectories(packages)
            .Where(folder => File.Exists(Path.Combine(folder, ModelManifestReader.FileName)))
            .Select(folder => ModelManifestReader.Read(folder, Path.GetFileName(folder)))
            .Where(contract => contract.Layout == ModelLayout.TwoStage)
            .OrderBy(contract => contract.Input.MinSize)
            .ThenBy(contract => contract.Name, StringComparer.Ordinal)
            .GroupBy(ModelOf);
        Variant[] variants = [.. models.SelectMany(model => Of(model.Key, [.. model], gpu))];
        return variants.Length > 0
            ? variants
            : throw new ArgumentException($"'{packages}' holds no two-stage package.");
    }

    private static string ModelOf(ModelContract contract) => IsHalf(contract)
        ? contract.Name[..^HalfSuffix.Length]
        : contract.Name;

    private static bool IsHalf(ModelContract contract) => contract.Name.EndsWith(HalfSuffix, StringComparison.Ordinal);

    private static IEnumerable<Variant> Of(string model, ModelContract[] contracts, bool gpu)
    {
        var half = contracts.FirstOrDefault(IsHalf);
        var single = contracts.FirstOrDefault(contract => !IsHalf(contract));
        if (gpu)
        {
            foreach (var layout in (Layout[])[Layout.Nhwc, Layout.Nchw, Layout.NhwcFused])
            {
                if (half is not null)
                {
                    yield return new(model, "fp16", layout, half);
                }

                if (single is not null)
                {
                    yield return new(model, "tf32", layout, single);
                }
            }
        }

        if (single is not null)
        {
            yield return new(model, "fp32", Layout.Nchw, single);
        }

        if (half is not null && !gpu)
        {
            yield return new(model, "fp16", Layout.Nchw, half);
        }
    }
}
