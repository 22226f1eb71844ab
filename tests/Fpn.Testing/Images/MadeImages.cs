using Fpn.Testing.Running;

namespace Fpn.Testing.Images;

/// <summary>The made images of the golden tests, which every clone has.</summary>
internal static class MadeImages
{
    private static readonly string Folder = Path.Combine(Checkout.Root, "tests", "Golden", "blood-cells", "images");

    /// <summary>Names of all, in a fixed order.</summary>
    public static IReadOnlyList<string> All { get; } =
        [.. Directory.EnumerateFiles(Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)!];

    /// <summary>The bytes of one.</summary>
    public static byte[] Read(string name) => File.ReadAllBytes(Path.Combine(Folder, name));
}
