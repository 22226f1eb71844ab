using Fpn.Models.Loading;
using Fpn.Models.Options;
using Fpn.Models.Packages;
using Microsoft.Extensions.Logging;

namespace Fpn.Serving.Lanes;

/// <summary>Loads packages and lets them serve: each takes over when it is warm.</summary>
/// <remarks>Not thread-safe: the registry lets one change follow another.</remarks>
/// <param name="packages">The packages.</param>
/// <param name="factory">Measures them and warms them up.</param>
/// <param name="served">What is served.</param>
/// <param name="states">Takes what becomes of them.</param>
/// <param name="logger">Logs what was not loaded, and what was taken out.</param>
internal sealed partial class ModelLoader(
    IModelPackages packages, LaneFactory factory, ServedLanes served, PackageStates states, ILogger logger)
{
    /// <summary>Loads a package and lets it serve.</summary>
    /// <returns>False when the process ends.</returns>
    /// <exception cref="ModelPackageException">The package is wrong.</exception>
    /// <exception cref="InvalidOptionException">The buckets' setting is wrong.</exception>
    /// <exception cref="ModelNotServedException">The model fails on its first batch.</exception>
    public async Task<bool> ServeAsync(PackageId id)
    {
        // First: a file that changes while it is loaded counts as changed.
        var (stamp, model) = await Task.Run(() => (packages.Stamp(id), packages.Load(id)));
        ModelLane lane;
        try
        {
            lane = await factory.CreateAsync(model);
        }
        catch (ModelNotServedException exception) when (id.Number is not null)
        {
            model.Dispose();
            throw new ModelNotServedException($"{id}: {exception.Message}", exception);
        }
        catch
        {
            model.Dispose();
            throw;
        }

        if (served.TryServe(new ServedPackage(id, lane, stamp)))
        {
            return true;
        }

        await factory.FreeAsync(lane);
        return false;
    }

    /// <summary>Brings what is served of a model up to what its folder holds.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="isAsked">Whether a package without versions is loaded though its files are as they were.</param>
    /// <returns>Null, or the first failure.</returns>
    public async Task<string?> UpdateAsync(string model, bool isAsked)
    {
        string? failure = null;
        var found = false;
        var kept = new HashSet<PackageId>();
        foreach (var id in packages.List().Where(id => id.Model == model))
        {
            found = true;
            if (kept.Count == packages.MostVersions)
            {
                break;
            }

            if ((isAsked && id.Number is null) || !IsUnchanged(id))
            {
                var reason = await TryServeAsync(id);
                failure ??= reason;
            }
            else
            {
                // Files that were wrong for a while may be again what they were.
                states.End(id, failure: null);
            }

            // One that cannot be loaded does not take the place of an older one that can.
            if (served.Find(id) is not null)
            {
                kept.Add(id);
            }
        }

        // A folder that cannot be seen for a moment takes nothing out.
        if (kept.Count > 0)
        {
            Retire(model, kept);
        }

        return found ? failure : $"there is no package '{model}'";
    }

    /// <summary>Takes packages of a model out of service.</summary>
    /// <param name="model">Its name.</param>
    /// <param name="kept">Those that go on serving.</param>
    /// <returns>Whether there were any.</returns>
    public bool Retire(string model, HashSet<PackageId> kept)
    {
        var retired = served.Retire(model, kept);
        foreach (var id in retired)
        {
            states.Unload(id);
            LogUnloaded(logger, id);
        }

        return retired.Count > 0;
    }

    private async Task<string?> TryServeAsync(PackageId id)
    {
        string? failure;
        states.Begin(id);
        try
        {
            failure = await ServeAsync(id) ? null : "the service is shutting down";
        }
#pragma warning disable CA1031 // What is served stays, whatever is wrong with the package; the reason is returned.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogNotLoaded(logger, id, exception);
            failure = exception.Message;
        }

        states.End(id, failure);
        return failure;
    }

    private bool IsUnchanged(PackageId id) => served.Find(id) is { } package && package.Stamp == packages.Stamp(id);

    [LoggerMessage(
        Level = LogLevel.Error, Message = "Model {Model} was not loaded; what was served before stays")]
    private static partial void LogNotLoaded(ILogger logger, PackageId model, Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} was unloaded")]
    private static partial void LogUnloaded(ILogger logger, PackageId model);
}
