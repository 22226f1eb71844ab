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

    /// <summary>Names of the packages that are there now, in ordinal order. Thread-safe.</summary>
    IReadOnlyList<string> List();

    /// <summary>Reads a package and loads its graphs. Blocks; thread-safe.</summary>
    /// <param name="name">One of <see cref="List"/>: text from a request is looked up there, and never becomes a
    /// path.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="ModelPackageException">The package is wrong or gone.</exception>
    ModelEntry Load(string name);
}
