using System.Globalization;
using Fpn.Models.Packages;

namespace Fpn.Models.Loading;

/// <summary>Folders of a model that hold a version each and are named by its number, as Triton has them.</summary>
internal static class VersionFolders
{
    // A folder that may not be read holds nothing that could be served: many disks have a lost+found.
    private static readonly EnumerationOptions Readable = new() { IgnoreInaccessible = true, AttributesToSkip = 0 };

    /// <summary>Whether a folder is a package.</summary>
    public static bool IsPackage(string folder) => File.Exists(Path.Combine(folder, ModelManifestReader.FileName));

    /// <summary>The numbers of the version folders that hold a package, greatest first: 10 comes before 9.</summary>
    /// <param name="folder">The model's folder.</param>
    public static long[] List(string folder) =>
    [
        .. Packages(folder)
            .Select(package => Number(Path.GetFileName(package)))
            .OfType<long>()
            .OrderDescending(),
    ];

    /// <summary>Whether a folder holds packages, all of which are versions of one model.</summary>
    public static bool AreAll(string folder)
    {
        var packages = Packages(folder).ToList();
        return packages.Count > 0 && packages.TrueForAll(package => Number(Path.GetFileName(package)) is not null);
    }

    /// <summary>The name that a folder gives the model of a package: its own, or for a version folder the name of the
    /// folder around it.</summary>
    /// <param name="package">Full path of the package, without a slash at its end.</param>
    public static string FindModelName(string package)
    {
        var name = Path.GetFileName(package);
        return Number(name) is null ? name : Path.GetFileName(Path.GetDirectoryName(package)!);
    }

    /// <summary>Reads a package by itself. In a version folder of its model, the number is its version.</summary>
    /// <param name="package">Full path of the package, without a slash at its end.</param>
    /// <exception cref="ModelPackageException">The manifest is missing or wrong.</exception>
    public static ModelContract ReadPackage(string package)
    {
        var contract = ModelManifestReader.ReadAlone(package);
        var folder = Path.GetFileName(package);
        return Number(folder) is not null && FindModelName(package) == contract.Name
            ? contract with { Version = folder }
            : contract;
    }

    private static IEnumerable<string> Packages(string folder) =>
        Directory.EnumerateDirectories(folder, "*", Readable).Where(IsPackage);

    /// <summary>The number that a name stands for, as Triton reads names: one that starts with 0 is none.</summary>
    private static long? Number(string name) =>
        !name.StartsWith('0') && long.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
