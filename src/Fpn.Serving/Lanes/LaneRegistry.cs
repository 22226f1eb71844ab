using System.Diagnostics.CodeAnalysis;
using Fpn.Models.Execution.Devices;
using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Fpn.Serving.Sizing;
using Fpn.Serving.Telemetry;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Lanes;

/// <summary>
/// A lane for every version of every model that is served; loads, replaces and unloads them while requests run.
/// </summary>
/// <remarks>
/// A package that is loaded takes over at once for requests that ask for a lane afterwards, and only after it was
/// warmed up; those that hold the old lane (<see cref="LaneUse"/>) are answered by it, and after the last of them it is
/// freed. Thread-safe.
/// </remarks>
internal sealed class LaneRegistry : IAsyncDisposable
{
    private readonly IModelPackages _packages;
    private readonly LaneFactory _factory;
    private readonly RetiredLanes _retired;
    private readonly ServedLanes _served;
    private readonly PackageStates _states = new();
    private readonly ModelLoader _loader;
    private readonly SemaphoreSlim _changes = new(1);

    /// <summary>Models that were unloaded by request, and stay so until they are loaded by one; used while
    /// <see cref="_changes"/> is held.</summary>
    private readonly HashSet<string> _unloaded = new(StringComparer.Ordinal);

    /// <summary>Creates a registry without lanes.</summary>
    public LaneRegistry(
        IModelPackages packages,
        BatchingOptions options,
        DetectionMetrics metrics,
        TimeProvider clock,
        ILogger<LaneRegistry> logger)
    {
        _packages = packages;
        _factory = new LaneFactory(packages.Device, options, metrics, clock, logger);
        _retired = new RetiredLanes(_factory, logger);
        _served = new ServedLanes(_retired, packages.Default);
        _loader = new ModelLoader(packages, _factory, _served, _states, logger);
    }

    /// <summary>What the models run on.</summary>
    public DeviceDescription Device => _packages.Device;

    /// <summary>Name of the model that answers requests which name none; it may have been unloaded.</summary>
    public string DefaultModel => _packages.Default;

    /// <summary>The lane of each model's newest version: the default model's first, then by name.</summary>
    public IReadOnlyList<ModelLane> Lanes => _served.Newest;

    /// <summary>The lanes of all versions that serve now: by model as <see cref="Lanes"/>, the newest first.</summary>
    public IReadOnlyList<ModelLane> AllLanes => [.. _served.All.Select(served => served.Lane)];

    /// <summary>All lanes that serve, and those that were replaced or unloaded and still answer requests.</summary>
    public IReadOnlyList<ModelLane> Working => _served.Working;

    /// <summary>Names of the models that are served now, in the order of <see cref="Lanes"/>.</summary>
    public IReadOnlyList<string> Names => [.. Lanes.Select(lane => lane.Model.Contract.Name)];

    /// <summary>Every package in the folder, and every package that is served though it is gone; by name, older
    /// versions first.</summary>
    public IReadOnlyList<ModelState> States =>
    [
        .. _packages.List().Union(_served.All.Select(served => served.Id))
            .OrderBy(id => id.Model, StringComparer.Ordinal)
            .ThenBy(id => id.Number)
            .Select(id => _states.Describe(id, _served.Find(id)?.Lane)),
    ];

    /// <summary>Loads, measures and warms up every package, of each model the newest; to be awaited before the port
    /// opens.</summary>
    /// <exception cref="ModelPackageException">A package is wrong.</exception>
    /// <exception cref="InvalidOptionException">The buckets' setting is wrong.</exception>
    /// <exception cref="ModelNotServedException">A model fails on its first batch.</exception>
    public async Task StartAsync()
    {
        foreach (var versions in _packages.List().GroupBy(id => id.Model))
        {
            foreach (var id in versions.Take(_packages.MostVersions))
            {
                await _loader.ServeAsync(id);
            }
        }
    }

    /// <summary>The lanes of a model's versions, the newest first; empty when it is not served.</summary>
    /// <param name="name">Name of the model; case matters.</param>
    public IReadOnlyList<ModelLane> LanesFor(string name) => [.. _served.Find(name).Select(served => served.Lane)];

    /// <summary>Takes the lane that serves the newest version of a model now.</summary>
    /// <param name="name">Name of the model; case matters.</param>
    /// <param name="use">To be disposed when the request is answered.</param>
    /// <returns>False when no such model is served.</returns>
    public bool TryTake(string name, [NotNullWhen(true)] out LaneUse? use) => TryTake(name, null, out use);

    /// <summary>Takes the lane that serves a version of a model now.</summary>
    /// <param name="name">Name of the model; case matters.</param>
    /// <param name="version">The version, in which case matters; null for the newest.</param>
    /// <param name="use">To be disposed when the request is answered.</param>
    /// <returns>False when it is not served.</returns>
    public bool TryTake(string name, string? version, [NotNullWhen(true)] out LaneUse? use) =>
        _served.TryTake(name, version, out use);

    /// <summary>
    /// Loads a model, or loads it again. Measured and warmed up, each of its packages takes over from the one that is
    /// served; a version whose files are as they were stays. Versions that are too old to be served, or gone, are taken
    /// out afterwards.
    /// </summary>
    /// <param name="name">Name of a model in the folder.</param>
    /// <returns>Null, or the reason why a package was not loaded; what was served before it still is.</returns>
    public async Task<string?> LoadAsync(string name)
    {
        await _changes.WaitAsync();
        try
        {
            _unloaded.Remove(name);
            return await _loader.UpdateAsync(name, isAsked: true);
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>As <see cref="LoadAsync"/>, for packages whose files have changed; nothing is done for a model that was
    /// unloaded.</summary>
    /// <param name="name">Name of a model in the folder.</param>
    public async Task RefreshAsync(string name)
    {
        await _changes.WaitAsync();
        try
        {
            if (!_unloaded.Contains(name))
            {
                await _loader.UpdateAsync(name, isAsked: false);
            }
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Takes a model out of service, all its versions; requests that hold a lane of it are answered.</summary>
    /// <returns>False when no such model was served.</returns>
    public async Task<bool> UnloadAsync(string name)
    {
        await _changes.WaitAsync();
        try
        {
            var isServed = _loader.Retire(name, new HashSet<PackageId>());
            if (isServed)
            {
                _unloaded.Add(name);
            }

            return isServed;
        }
        finally
        {
            _changes.Release();
        }
    }

    /// <summary>Answers all requests that still wait, since the process ends.</summary>
    public void Abandon()
    {
        _served.Stop();
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
        foreach (var lane in AllLanes)
        {
            await _factory.FreeAsync(lane);
        }

        await _retired.DisposeAsync();
        _factory.Dispose();
    }
}
