using Fpn.Service.Configuration;
using Fpn.Service.Model.Execution;

namespace Fpn.Service.Model;

/// <summary>The packages in the folder <c>Fpn:Models:Path</c>: one folder a model.</summary>
internal sealed partial class ModelPackages : IModelPackages
{
    private readonly string _folder;
    private readonly ILogger<ModelPackages> _logger;

    /// <summary>Looks for the folder and prepares ONNX Runtime.</summary>
    /// <exception cref="SettingsException">The folder is none, or holds no package of the default model.</exception>
    public ModelPackages(ModelOptions options, ExecutionOptions execution, IHostEnvironment environment, ILogger<ModelPackages> logger)
    {
        if (execution.Provider == ExecutionProvider.Cuda)
        {
            throw new SettingsException("Setting 'Fpn:Execution:Provider' is 'cuda', which is not served yet; use 'auto' or 'cpu'.");
        }

        _logger = logger;
        _folder = Path.GetFullPath(Path.Combine(environment.ContentRootPath, options.Path));
        if (!Directory.Exists(_folder))
        {
            throw new SettingsException($"Setting 'Fpn:Models:Path' names '{_folder}', which is no folder.");
        }

        Default = options.Default;
        var names = List();
        if (!names.Contains(Default, StringComparer.Ordinal))
        {
            throw new SettingsException(
                $"Setting 'Fpn:Models:Default' is '{Default}', but '{_folder}' holds {(names.Count == 0 ? "no model" : string.Join(", ", names))}.");
        }

        OnnxEnvironment.Ensure(execution.Threads);
    }

    /// <inheritdoc/>
    public string Default { get; }

    /// <inheritdoc/>
    public IReadOnlyList<string> List() =>
    [
        .. Directory.EnumerateDirectories(_folder)
            .Where(package => File.Exists(Path.Combine(package, ModelManifestReader.FileName)))
            .Select(package => Path.GetFileName(package))
            .Order(StringComparer.Ordinal),
    ];

    /// <inheritdoc/>
    public ModelEntry Load(string name)
    {
        var package = Path.Combine(_folder, name);
        var contract = ModelManifestReader.Read(package);
        var entry = new ModelEntry(() => contract.Layout == ModelLayout.TwoStage ? new TwoStageDetector(contract) : new EndToEndDetector(contract));
        LogLoaded(_logger, contract.Name, contract.Version, package);
        return entry;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name} version {Version} loaded from {Folder}")]
    private static partial void LogLoaded(ILogger logger, string name, string version, string folder);
}
