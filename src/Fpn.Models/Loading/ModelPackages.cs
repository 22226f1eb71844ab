using Fpn.Models.Detectors;
using Fpn.Models.EndToEnd;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Models.TwoStage;
using Microsoft.Extensions.Logging;

namespace Fpn.Models.Loading;

/// <summary>The packages in the folder <c>Fpn:Models:Path</c>: one folder a model, or one package.</summary>
internal sealed class ModelPackages : IModelPackages
{
    private readonly string _folder;

    /// <summary>Name of the model when the folder is one package; null when it holds packages.</summary>
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
    /// <exception cref="ModelPackageException">The folder is one package, and its manifest is wrong.</exception>
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
        var names = List();
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
    public IReadOnlyList<string> List() => _alone is not null ? [_alone] : Packages();

    /// <inheritdoc/>
    public ModelEntry Load(string name)
    {
        var package = _alone is null ? Path.Combine(_folder, name) : _folder;
        var contract = _alone is null ? ModelManifestReader.Read(package) : ReadAlone(name);
        return _loader.Load(contract, package);
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

    /// <summary>Reads the package that the folder is.</summary>
    /// <param name="name">The name that it is served by.</param>
    private ModelContract ReadAlone(string name)
    {
        var contract = ModelManifestReader.ReadAlone(_folder);
        return _isRenamed || contract.Name == name
            ? contract with { Name = name }
            : throw new ModelPackageException(
                $"{Path.Combine(_folder, ModelManifestReader.FileName)}: key 'name' must stay '{name}' while the "
                + $"service runs; it is '{contract.Name}'.");
    }

    private string[] Packages() =>
    [
        .. Directory.EnumerateDirectories(_folder).Where(IsPackage)
            .Select(package => Path.GetFileName(package))
            .Order(StringComparer.Ordinal),
    ];

    private static bool IsPackage(string folder) => File.Exists(Path.Combine(folder, ModelManifestReader.FileName));

    /// <summary>The name of the model whose package the folder is.</summary>
    /// <param name="given">The name that the settings give it.</param>
    /// <returns>Null when the folder holds packages.</returns>
    private string? NameAlone(string? given)
    {
        if (!IsPackage(_folder))
        {
            return given is null
                ? null
                : throw new InvalidOptionException(
                    $"Setting 'Fpn:Models:Name' names the model of one package, but '{_folder}' has no "
                    + $"{ModelManifestReader.FileName}; packages in a folder are named by their own folders.");
        }

        if (Packages() is [_, ..] packages)
        {
            throw new InvalidOptionException(
                $"Setting 'Fpn:Models:Path' names '{_folder}', which is a package and also holds packages: "
                + $"{string.Join(", ", packages)}. Move one or the other.");
        }

        if (given is not null && !ModelManifestReader.CanName(given))
        {
            throw new InvalidOptionException(
                $"Setting 'Fpn:Models:Name' {ModelManifestReader.NameRule}; it is '{given}'.");
        }

        return given ?? ModelManifestReader.ReadAlone(_folder).Name;
    }
}
