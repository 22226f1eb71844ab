using System.Diagnostics.CodeAnalysis;
using Fpn.Service.Configuration;

namespace Fpn.Service.Model;

/// <summary>All models that are served, loaded at start.</summary>
internal sealed partial class ModelCatalog : IDisposable
{
    private readonly Dictionary<string, ModelEntry> _models = new(StringComparer.Ordinal);

    /// <summary>Loads every package in the folder; one that cannot be loaded stops the start.</summary>
    /// <exception cref="SettingsException">There is no package, the default one is missing, or one is wrong.</exception>
    public ModelCatalog(ModelOptions options, ExecutionOptions execution, IHostEnvironment environment, ILogger<ModelCatalog> logger)
    {
        if (execution.Provider == ExecutionProvider.Cuda)
        {
            throw new SettingsException("Setting 'Fpn:Execution:Provider' is 'cuda', which is not served yet; use 'auto' or 'cpu'.");
        }

        var folder = Path.GetFullPath(Path.Combine(environment.ContentRootPath, options.Path));
        if (!Directory.Exists(folder))
        {
            throw new SettingsException($"Setting 'Fpn:Models:Path' names '{folder}', which is no folder.");
        }

        OnnxEnvironment.Ensure(execution.Threads);
        try
        {
            foreach (var package in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
            {
                if (File.Exists(Path.Combine(package, ModelManifestReader.FileName)))
                {
                    var entry = Load(package);
                    _models.Add(entry.Contract.Name, entry);
                    LogLoaded(logger, entry.Contract.Name, entry.Contract.Version, package);
                }
            }

            Default = _models.GetValueOrDefault(options.Default) ?? throw new SettingsException(
                $"Setting 'Fpn:Models:Default' is '{options.Default}', but '{folder}' holds {(_models.Count == 0 ? "no model" : string.Join(", ", _models.Keys))}.");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The model that answers requests which name none.</summary>
    public ModelEntry Default { get; }

    /// <summary>All models: the default one first, then by name.</summary>
    public IEnumerable<ModelEntry> Models => _models.Values.OrderBy(model => model != Default).ThenBy(model => model.Contract.Name, StringComparer.Ordinal);

    /// <summary>Finds a model by its name; case matters.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out ModelEntry? model) => _models.TryGetValue(name, out model);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var model in _models.Values)
        {
            model.Dispose();
        }
    }

    private static ModelEntry Load(string package)
    {
        var contract = ModelManifestReader.Read(package);
        return new ModelEntry(() => contract.Layout == ModelLayout.TwoStage ? new TwoStageDetector(contract) : new EndToEndDetector(contract));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name} version {Version} loaded from {Folder}")]
    private static partial void LogLoaded(ILogger logger, string name, string version, string folder);
}
