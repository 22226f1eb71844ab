using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;

namespace Fpn.Models.Loading;

/// <summary>
/// Packages whose folders are given while the program runs, each with the name that it is served by; none at first.
/// </summary>
/// <param name="loader">Loads them.</param>
internal sealed class GivenPackages(PackageLoader loader) : IModelPackages
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<string, string> _folders = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public DeviceDescription Device => loader.Device;

    /// <inheritdoc/>
    /// <remarks>Empty, which no model is called: requests must name theirs.</remarks>
    public string Default => string.Empty;

    /// <inheritdoc/>
    /// <remarks>Each model has one package, so this bounds nothing.</remarks>
    public int MostVersions => 1;

    /// <inheritdoc/>
    public IReadOnlyList<PackageId> List()
    {
        lock (_gate)
        {
            return [.. _folders.Keys.Select(name => new PackageId(name))];
        }
    }

    /// <inheritdoc/>
    public string Stamp(PackageId id) =>
        FindFolder(id.Model) is { } folder ? PackageStamp.Create(folder) : string.Empty;

    /// <inheritdoc/>
    /// <remarks>The name in the package's manifest does not count.</remarks>
    public ModelEntry Load(PackageId id)
    {
        var folder = FindFolder(id.Model) ?? throw new ModelPackageException($"The package of '{id}' was taken away.");
        return loader.Load(id, ModelManifestReader.ReadAlone(folder) with { Name = id.Model }, folder);
    }

    /// <summary>The folder of a package; null when there is none of this name.</summary>
    public string? FindFolder(string name)
    {
        lock (_gate)
        {
            return _folders.GetValueOrDefault(name);
        }
    }

    /// <summary>Gives a package; it is loaded later.</summary>
    /// <param name="name">The name that it is served by, for which <see cref="ModelManifestReader.CanName"/> is
    /// true.</param>
    /// <param name="folder">The package's folder.</param>
    /// <returns>False when there is one of this name.</returns>
    public bool TryAdd(string name, string folder)
    {
        lock (_gate)
        {
            return _folders.TryAdd(name, folder);
        }
    }

    /// <summary>Takes a package away; a model that was loaded from it is not touched.</summary>
    public void Remove(string name)
    {
        lock (_gate)
        {
            _folders.Remove(name);
        }
    }
}
