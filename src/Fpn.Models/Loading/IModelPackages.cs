using Fpn.Models.Execution.Devices;
using Fpn.Models.Packages;

namespace Fpn.Models.Loading;

/// <summary>The model packages that can be served.</summary>
internal interface IModelPackages
{
    /// <summary>What the models run on.</summary>
    DeviceDescription Device { get; }

    /// <summary>Name of the model that answers requests which name none.</summary>
    string Default { get; }

    /// <summary>How many versions of a model are served at most, the newest ones; 1 or more.</summary>
    int MostVersions { get; }

    /// <summary>The packages that are there now: by the model's name in ordinal order, the newest version of a model
    /// first. Thread-safe.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    IReadOnlyList<PackageId> List();

    /// <summary>Describes the files of a package by a text that changes when they do. Blocks; thread-safe.</summary>
    /// <param name="id">One of <see cref="List"/>.</param>
    string Stamp(PackageId id);

    /// <summary>Reads a package and loads its graphs. Blocks; thread-safe.</summary>
    /// <param name="id">One of <see cref="List"/>: text from a request is looked up there, and never becomes a
    /// path.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="ModelPackageException">The package is wrong or gone.</exception>
    ModelEntry Load(PackageId id);
}
