using Fpn.Models.Detectors;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Microsoft.Extensions.Logging;

namespace Fpn.Models.Loading;

/// <summary>Loads packages on the one device, and logs what was loaded and what runs it. Thread-safe.</summary>
internal sealed partial class PackageLoader
{
    private readonly ExecutionDevice _device;
    private readonly ILogger _logger;

    /// <summary>Chooses the device.</summary>
    /// <param name="execution">What the models run on.</param>
    /// <param name="cuda">How they use a GPU.</param>
    /// <param name="logger">Logs the device, and every package that is loaded.</param>
    /// <exception cref="InvalidOptionException">CUDA is demanded and cannot be used.</exception>
    public PackageLoader(ExecutionOptions execution, CudaOptions cuda, ILogger logger)
    {
        (_device, _logger) = (ExecutionDevice.Open(execution, cuda), logger);
        LogDevice(logger, Device.ProviderName, Device.Name, Device.Reason);
    }

    /// <summary>What the models run on.</summary>
    public DeviceDescription Device => _device.Description;

    /// <summary>Loads the graphs of a package. Blocks.</summary>
    /// <param name="id">The package; for the log.</param>
    /// <param name="contract">What it promises.</param>
    /// <param name="folder">Where it is; for the log.</param>
    /// <returns>The model; the caller disposes it.</returns>
    /// <exception cref="ModelPackageException">A graph cannot be loaded or does not fit the manifest.</exception>
    public ModelEntry Load(PackageId id, ModelContract contract, string folder)
    {
        var entry = new ModelEntry(() => OpenAndReport(id, contract));
        LogLoaded(_logger, contract.Name, contract.Version, folder);
        return entry;
    }

    /// <summary>Loads a package's graphs and logs what runs their nodes: one that a GPU cannot run is dear.</summary>
    private IDetector OpenAndReport(PackageId id, ModelContract contract)
    {
        var detector = ModelPackages.Open(contract, _device);
        foreach (var graph in detector.Graphs)
        {
            var (placement, isWarning) = graph.Placement.Describe($"{id}/{Path.GetFileName(graph.Path)}");
            LogPlacement(_logger, isWarning ? LogLevel.Warning : LogLevel.Information, placement);
        }

        return detector;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Graphs run on {Provider} ({Device}): {Reason}")]
    private static partial void LogDevice(ILogger logger, string provider, string device, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Name} version {Version} loaded from {Folder}")]
    private static partial void LogLoaded(ILogger logger, string name, string version, string folder);

    [LoggerMessage(Message = "{Placement}")]
    private static partial void LogPlacement(ILogger logger, LogLevel level, string placement);
}
