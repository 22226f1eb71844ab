using System.Diagnostics.CodeAnalysis;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Lanes;

/// <summary>A lane for every model that is served; loads, replaces and unloads them while requests run.</summary>
/// <remarks>
/// A package that is loaded again takes over at once for requests that ask for a lane afterwards, and only after it was
/// warmed up; those that hold the old lane (<see cref="LaneUse"/>) are answered by it, and with the last of them it
/// goes. Thread-safe.
/// </remarks>
internal sealed partial class LaneRegistry(
    IModelPackages packages, BatchingOptions options, DetectionMetrics metrics, TimeProvider clock, ILogger<LaneRegistry> logger)
    : IAsyncDisposable
{
    private readonly LaneFactory _factory = new(packages.Device, options, metrics, clock, logger);
    private readonly SemaphoreSlim _changes = new(1);
    private readonly Lock _gate = new();

    /// <summary>Lanes that serve, by the name of their model.</summary>
    private readonly Dictionary<string, ModelLane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Why the last load of a model failed, or why it is not served.</summary>
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);

    /// <summary>Lanes that somebody still holds though they were replaced or unloaded. Who removes one disposes of it.</summary>
    private readonly HashSet<ModelLane> _retiring = [];

    /// <summary>Retired lanes that are being disposed of.</summary>
    private readonly HashSet<Task> _endings = [];

    private string? _loading;
    private bool _stopped;

    /// <summary>What the models run on.</summary>
    public DeviceDescription Device => packages.Device;

    /// <summary>Name of the model that answers requests which name none; it may have been unloaded.</summary>
    public string DefaultModel => packages.Default;

    /// <summary>The lanes that serve now: the default model's first, then by name.</summary>
    public IReadOnlyList<ModelLane> Lanes
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _lanes.Values
                        .OrderBy(lane => lane.Model.Contract.Name != DefaultModel)
                        .ThenBy(lane => lane.Model.Contract.Name, StringComparer.Ordinal),
                ];
            }
        }
    }

    /// <summary>The lanes that serve now, and those that were replaced or unloaded and still answer somebody.</summary>
    public IReadOnlyList<ModelLane> Working
    {
        get
        {
            lock (_gate)
            {
                return [.. _lanes.Values, .. _retiring];
            }
        }
    }

    /// <summary>Names of the models that are served now, in the order of <see cref="Lanes"/>.</summary>
    public IReadOnlyList<string> Names => [.. Lanes.Select(lane => lane.Model.Contract.Name)];

    /// <summary>Every package in the folder, and every model that is served though its package is gone; by name.</summary>
    public IReadOnlyList<ModelState> States
    {
        get
        {
            var names = packages.List();
            lock (_gate)
            {
                return [.. names.Union(_lanes.Keys).Order(StringComparer.Ordinal).Select(StateOf)];
            }
        }
    }

    /// <summary>Loads, measures and warms up every package; to be awaited before the port opens.</summary>
    /// <exception cref="ModelPackageException">A package is wrong.</exception>
    /// <exception cref="InvalidOptionException">The buckets' setting is wrong.</exception>
    /// <exception cref="ModelNotServedException">A model fails on its first batch.</exception>
    public async Task StartAsync()
    {
        foreach (var name in packages.List())
        {
            var model = await Task.Run(() => packages.Load(name));
            try
            {
                var lane = await _factory.CreateAsync(model);
                lock (_gate)
                {
                    _lanes.Add(name, lane);
                }
            }
            catch
            {
                model.Dispose();
                throw;
            }
        }
    }

    /// <summary>Takes the lane that serves a model now.</summary>
    /// <param name="name">Name of the model; case matters.</param>
    /// <param name="use">To be disposed when the request is answered.</param>
    /// <returns>False when no such model is served.</returns>
    public bool TryTake(string name, [NotNullWhen(true)] out LaneUse? use)
    {
        lock (_gate)
        {
            use = _lanes.TryGetValue(name, out var lane) && lane.TryBeginUse() ? new LaneUse(lane) : null;
            return use is not null;
        }
    }

    /// <summary>Loads a package, or loads it again: measured and warmed up, it takes over from the one that is served.</summary>
    /// <param name="name">Name of a package in the folder.</param>
    /// <returns>Null, or why it was not loaded; what was served before still is.</returns>
    public async Task<string?> LoadAsync(string name)
    {
        await _changes.WaitAsync();
        try
        {
            if (!packages.List().Contains(name, StringComparer.Ordinal))
            {
                return $"there is no package '{name}'";
            }

            lock (_gate)
            {
                _loading = name;
            }

            var failure = await TryReplaceAsync(name);
            lock (_gate)
            {
                _loading = null;
                Explain(name, failure);
            }

            return failure;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Takes a model out of service; requests that hold its lane are answered.</summary>
    /// <returns>False when no such model was served.</returns>
    public async Task<bool> UnloadAsync(string name)
    {
        await _changes.WaitAsync();
        try
        {
            lock (_gate)
            {
                if (!_lanes.Remove(name, out var lane))
                {
                    return false;
                }

                Retire(lane);
                Explain(name, "unloaded");
            }

            LogUnloaded(logger, name);
            return true;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Answers everything that still waits, since the service ends.</summary>
    public void Abandon()
    {
        List<ModelLane> all;
        lock (_gate)
        {
            _stopped = true;
            all = [.. _lanes.Values, .. _retiring];
        }

        foreach (var lane in all)
        {
            lane.Batcher.Abandon();
        }
    }

    /// <inheritdoc/>
    /// <remarks>A load that still runs is not waited for: it finds the device closed and gives up.</remarks>
    public async ValueTask DisposeAsync()
    {
        Abandon();
        List<ModelLane> all;
        List<Task> endings;
        lock (_gate)
        {
            all = [.. _lanes.Values, .. _retiring];
            _retiring.Clear();
            endings = [.. _endings];
        }

        foreach (var lane in all)
        {
            await _factory.FreeAsync(lane);
        }

        await Task.WhenAll(endings);
        _factory.Dispose();
    }

    private async Task<string?> TryReplaceAsync(string name)
    {
        ModelEntry? model = null;
        try
        {
            model = await Task.Run(() => packages.Load(name));
            var lane = await _factory.CreateAsync(model);
            lock (_gate)
            {
                if (!_stopped)
                {
                    var served = _lanes.GetValueOrDefault(name);
                    _lanes[name] = lane;
                    if (served is not null)
                    {
                        Retire(served);
                    }

                    return null;
                }
            }

            await _factory.FreeAsync(lane);
            return "the service is shutting down";
        }
#pragma warning disable CA1031 // Whatever is wrong with the package, what is served stays, and the caller is told.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            model?.Dispose();
            LogNotLoaded(logger, name, exception);
            return exception.Message;
        }
    }

    /// <summary>Lets go of a lane; with the gate held.</summary>
    private void Retire(ModelLane lane)
    {
        _retiring.Add(lane);
        lane.EndUse();
        _ = EndWhenUnusedAsync(lane);
    }

    private async Task EndWhenUnusedAsync(ModelLane lane)
    {
        await lane.Unused;
        Task ending;
        lock (_gate)
        {
            if (!_retiring.Remove(lane))
            {
                return;
            }

            ending = _factory.FreeAsync(lane);
            _endings.Add(ending);
        }

        await ending;
        LogRetired(logger, lane.Model.Contract.Name, lane.Model.Contract.Version);
        lock (_gate)
        {
            _endings.Remove(ending);
        }
    }

    /// <summary>Keeps the reason for the index; with the gate held.</summary>
    private void Explain(string name, string? reason)
    {
        if (reason is null)
        {
            _reasons.Remove(name);
        }
        else
        {
            _reasons[name] = reason;
        }
    }

    private ModelState StateOf(string name)
    {
        var lane = _lanes.GetValueOrDefault(name);
        var reason = _reasons.GetValueOrDefault(name, string.Empty);
        var availability = lane is not null ? ModelAvailability.Ready
            : _loading == name ? ModelAvailability.Loading
            : reason.Length > 0 ? ModelAvailability.Unavailable
            : ModelAvailability.Unloaded;
        return new ModelState(name, lane?.Model.Contract.Version, availability, reason);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model} was not loaded; what was served before still is")]
    private static partial void LogNotLoaded(ILogger logger, string model, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model}: nobody uses version {Version} any more; it is freed")]
    private static partial void LogRetired(ILogger logger, string model, string version);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} was unloaded")]
    private static partial void LogUnloaded(ILogger logger, string model);
}
