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
/// warmed up; those that hold the old lane (<see cref="LaneUse"/>) are answered by it, and after the last of them it is
/// freed. Thread-safe.
/// </remarks>
internal sealed partial class LaneRegistry : IAsyncDisposable
{
    private readonly IModelPackages _packages;
    private readonly ILogger<LaneRegistry> _logger;
    private readonly LaneFactory _factory;
    private readonly RetiredLanes _retired;
    private readonly SemaphoreSlim _changes = new(1);
    private readonly Lock _gate = new();

    /// <summary>Lanes that serve, by the name of their model.</summary>
    private readonly Dictionary<string, ModelLane> _lanes = new(StringComparer.Ordinal);

    /// <summary>Why the last load of a model failed, or why it is not served.</summary>
    private readonly Dictionary<string, string> _reasons = new(StringComparer.Ordinal);

    private string? _loading;
    private bool _stopped;

    /// <summary>Creates a registry without lanes.</summary>
    public LaneRegistry(
        IModelPackages packages,
        BatchingOptions options,
        DetectionMetrics metrics,
        TimeProvider clock,
        ILogger<LaneRegistry> logger)
    {
        (_packages, _logger) = (packages, logger);
        _factory = new LaneFactory(packages.Device, options, metrics, clock, logger);
        _retired = new RetiredLanes(_factory, logger);
    }

    /// <summary>What the models run on.</summary>
    public DeviceDescription Device => _packages.Device;

    /// <summary>Name of the model that answers requests which name none; it may have been unloaded.</summary>
    public string DefaultModel => _packages.Default;

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

    /// <summary>The lanes that serve now, and those that were replaced or unloaded and still answer requests.</summary>
    public IReadOnlyList<ModelLane> Working
    {
        get
        {
            lock (_gate)
            {
                return [.. _lanes.Values, .. _retired.Lanes];
            }
        }
    }

    /// <summary>Names of the models that are served now, in the order of <see cref="Lanes"/>.</summary>
    public IReadOnlyList<string> Names => [.. Lanes.Select(lane => lane.Model.Contract.Name)];

    /// <summary>Every package in the folder, and every model that is served though its package is gone; by
    /// name.</summary>
    public IReadOnlyList<ModelState> States
    {
        get
        {
            var names = _packages.List();
            lock (_gate)
            {
                return [.. names.Union(_lanes.Keys).Order(StringComparer.Ordinal).Select(State_NeedsLock)];
            }
        }
    }

    /// <summary>Loads, measures and warms up every package; to be awaited before the port opens.</summary>
    /// <exception cref="ModelPackageException">A package is wrong.</exception>
    /// <exception cref="InvalidOptionException">The buckets' setting is wrong.</exception>
    /// <exception cref="ModelNotServedException">A model fails on its first batch.</exception>
    public async Task StartAsync()
    {
        foreach (var name in _packages.List())
        {
            var model = await Task.Run(() => _packages.Load(name));
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

    /// <summary>Loads a package, or loads it again. Measured and warmed up, it takes over from the one that is
    /// served.</summary>
    /// <param name="name">Name of a package in the folder.</param>
    /// <returns>Null, or the reason why it was not loaded; the version that was served before still is.</returns>
    public async Task<string?> LoadAsync(string name)
    {
        await _changes.WaitAsync();
        try
        {
            if (!_packages.List().Contains(name, StringComparer.Ordinal))
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
                Explain_NeedsLock(name, failure);
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

                _retired.Add(lane);
                Explain_NeedsLock(name, "unloaded");
            }

            LogUnloaded(_logger, name);
            return true;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Answers all requests that still wait, since the process ends.</summary>
    public void Abandon()
    {
        lock (_gate)
        {
            _stopped = true;
        }

        foreach (var lane in Working)
        {
            lane.Batcher.Abandon();
        }
    }

    /// <inheritdoc/>
    /// <remarks>A load that still runs is not waited for: it finds the device closed and gives up.</remarks>
    public async ValueTask DisposeAsync()
    {
        Abandon();
        List<ModelLane> serving;
        lock (_gate)
        {
            serving = [.. _lanes.Values];
        }

        foreach (var lane in serving)
        {
            await _factory.FreeAsync(lane);
        }

        await _retired.DisposeAsync();
        _factory.Dispose();
    }

    private async Task<string?> TryReplaceAsync(string name)
    {
        ModelEntry? model = null;
        try
        {
            model = await Task.Run(() => _packages.Load(name));
            var lane = await _factory.CreateAsync(model);
            lock (_gate)
            {
                if (!_stopped)
                {
                    var served = _lanes.GetValueOrDefault(name);
                    _lanes[name] = lane;
                    if (served is not null)
                    {
                        _retired.Add(served);
                    }

                    return null;
                }
            }

            await _factory.FreeAsync(lane);
            return "the service is shutting down";
        }
#pragma warning disable CA1031 // The served version stays, whatever is wrong with the package; the reason is returned.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            model?.Dispose();
            LogNotLoaded(_logger, name, exception);
            return exception.Message;
        }
    }

    /// <summary>Keeps the reason that <see cref="States"/> gives.</summary>
    private void Explain_NeedsLock(string name, string? reason)
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

    private ModelState State_NeedsLock(string name)
    {
        var lane = _lanes.GetValueOrDefault(name);
        var reason = _reasons.GetValueOrDefault(name, string.Empty);
        var availability = lane is not null ? ModelAvailability.Ready
            : _loading == name ? ModelAvailability.Loading
            : reason.Length > 0 ? ModelAvailability.Unavailable
            : ModelAvailability.Unloaded;
        return new ModelState(name, lane?.Model.Contract.Version, availability, reason);
    }

    [LoggerMessage(
        Level = LogLevel.Error, Message = "Model {Model} was not loaded; the version served before stays")]
    private static partial void LogNotLoaded(ILogger logger, string model, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} was unloaded")]
    private static partial void LogUnloaded(ILogger logger, string model);
}
