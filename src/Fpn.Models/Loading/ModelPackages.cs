using System.Globalization;
using Fpn.Models.Detectors;
using Fpn.Models.EndToEnd;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Microsoft.Extensions.Logging;

namespace Fpn.Models.Loading;

/// <summary>
/// The packages in the folder <c>Fpn:Models:Path</c>: one folder a model, or one model alone. A model's folder is a
/// package, or holds one in each of its version folders.
/// </summary>
internal sealed class ModelPackages : IModelPackages
{
    private readonly string _folder;

    /// <summary>Name of the model when the folder is that of one model; null when it holds models.</summary>
    private readonly string? _alone;

    /// <summary>Whether the settings name that model, and its manifest does not.</summary>
    private readonly bool _isRenamed;

    private readonly PackageLoader _loader;

    /// <summary>Looks for the folder and chooses the device.</summary>
    /// <param name="options">Which models.</param>
    /// <param name="execution">What they run on.</param>
    /// <param name="cuda">How they use a GPU.</param>
    /// <param name="baseFolder">The folder that <see cref="ModelOptions.Path"/> is relative to.</param>
    /// <param name="logger">Logs the device, and every package that is loaded.</param>
    /// <exception cref="InvalidOptionException">The folder does not exist, or holds no package of the default model;
    /// options contradict each other; or CUDA is demanded and cannot be used.</exception>
    /// <exception cref="ModelPackageException">The folder is that of one model, and its manifest is wrong.</exception>
    public ModelPackages(
        ModelOptions options,
        ExecutionOptions execution,
        CudaOptions cuda,
        string baseFolder,
        ILogger<ModelPackages> logger)
    {
        _folder = Path.GetFullPath(Path.Combine(baseFolder, options.Path));
        if (!Directory.Exists(_folder))
        {
            throw new InvalidOptionException($"Setting 'Fpn:Models:Path' names '{_folder}', which is not a folder.");
        }

        _alone = NameAlone(options.Name);
        _isRenamed = options.Name is not null;
        MostVersions = options.Versions == 0 ? int.MaxValue : options.Versions;
        var names = List().Select(package => package.Model).Distinct().ToList();
        Default = options.Default ?? (names is [var only] ? only : ModelOptions.UsualDefault);
        if (!names.Contains(Default, StringComparer.Ordinal))
        {
            throw new InvalidOptionException(
                $"Setting 'Fpn:Models:Default' is '{Default}', but '{_folder}' holds "
                + $"{(names.Count == 0 ? "no model" : string.Join(", ", names))}.");
        }

        _loader = new PackageLoader(execution, cuda, logger);
    }

    /// <inheritdoc/>
    public DeviceDescription Device => _loader.Device;

    /// <inheritdoc/>
    public string Default { get; }

    /// <inheritdoc/>
    public int MostVersions { get; }

    /// <inheritdoc/>
    public IReadOnlyList<PackageId> List() =>
    [
        .. Models().Order(StringComparer.Ordinal).SelectMany(Packages),
    ];

    /// <inheritdoc/>
    public string Stamp(PackageId id) => PackageStamp.Create(FolderFor(id));

    /// <inheritdoc/>
    public ModelEntry Load(PackageId id)
    {
        var folder = FolderFor(id);
        return _loader.Load(id, Read(id, folder), folder);
    }

    /// <summary>Loads a package's graphs.</summary>
    /// <param name="contract">What the package promises.</param>
    /// <param name="device">What it will run on.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="ModelPackageException">A graph cannot be loaded or does not fit the manifest.</exception>
    internal static IDetector Open(ModelContract contract, ExecutionDevice device) =>
        contract.Layout == ModelLayout.TwoStage
            ? new TwoStageDetector(contract, device)
            : new EndToEndDetector(contract, device);

    /// <summary>Names of the folders that may be those of models.</summary>
    private IEnumerable<string> Models() =>
        _alone is null ? Directory.EnumerateDirectories(_folder).Select(folder => Path.GetFileName(folder)) : [_alone];

    private string FolderFor(string model) => _alone is null ? Path.Combine(_folder, model) : _folder;

    private string FolderFor(PackageId id) =>
        id.Version is { } version ? Path.Combine(FolderFor(id.Model), version) : FolderFor(id.Model);

    /// <summary>The packages of a model, the newest first.</summary>
    private IEnumerable<PackageId> Packages(string model)
    {
        var folder = FolderFor(model);
        return VersionFolders.IsPackage(folder)
            ? [new PackageId(model)]
            : VersionFolders.List(folder).Select(number => new PackageId(model, number));
    }

    /// <summary>Reads the manifest of a package; the number of a version folder is the version.</summary>
    private ModelContract Read(PackageId id, string folder)
    {
        var contract = _alone is null ? ModelManifestReader.Read(folder, id.Model) : ReadAlone(folder);
        if (id.Version is { } version)
        {
            return contract with { Version = version };
        }

        var numbers = VersionFolders.List(folder);
        return numbers.Length == 0
            ? contract
            : throw new ModelPackageException(
                $"{Path.Combine(folder, ModelManifestReader.FileName)}: its folder is a package and also holds version "
                + $"folders: {string.Join(", ", numbers)}. Move one or the other.");
    }

    /// <summary>Reads a package of the model that stands alone.</summary>
    private ModelContract ReadAlone(string folder)
    {
        var contract = ModelManifestReader.ReadAlone(folder);
        return _isRenamed || contract.Name == _alone
            ? contract with { Name = _alone! }
            : throw new ModelPackageException(
                $"{Path.Combine(folder, ModelManifestReader.FileName)}: key 'name' must stay '{_alone}' while the "
                + $"service runs; it is '{contract.Name}'.");
    }

    /// <summary>The name of the model whose folder it is.</summary>
    /// <param name="given">The name that the settings give it.</param>
    /// <returns>Null when the folder holds models.</returns>
    private string? NameAlone(string? given)
    {
        var isPackage = VersionFolders.IsPackage(_folder);
        if (!isPackage && !VersionFolders.AreAll(_folder))
        {
            return given is null
                ? null
                : throw new InvalidOptionException(
                    $"Setting 'Fpn:Models:Name' names the model of one package, but '{_folder}' has no "
                    + $"{ModelManifestReader.FileName}; packages in a folder are named by their own folders.");
        }

        var inside = Directory.EnumerateDirectories(_folder).Where(VersionFolders.IsPackage).ToList();
        if (isPackage && inside.Count > 0)
        {
            throw new InvalidOptionException(
                $"Setting 'Fpn:Models:Path' names '{_folder}', which is a package and also holds packages: "
                + $"{string.Join(", ", inside.Select(Path.GetFileName).Order(StringComparer.Ordinal))}. "
                + "Move one or the other.");
        }

        if (given is not null && !ModelManifestReader.CanName(given))
        {
            throw new InvalidOptionException(
                $"Setting 'Fpn:Models:Name' {ModelManifestReader.NameRule}; it is '{given}'.");
        }

        return given ?? ModelManifestReader.ReadAlone(isPackage ? _folder : NewestVersion()).Name;
    }

    private string NewestVersion() => Path.Combine(
        _folder, VersionFolders.List(_folder)[0].ToString(CultureInfo.InvariantCulture));
}
