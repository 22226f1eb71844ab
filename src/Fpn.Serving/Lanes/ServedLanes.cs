using System.Diagnostics.CodeAnalysis;
using Fpn.Models.Loading;

namespace Fpn.Serving.Lanes;

/// <summary>A lane that serves a package.</summary>
/// <param name="Id">The package.</param>
/// <param name="Lane">Its lane.</param>
/// <param name="Stamp">The state of its files when it was loaded.</param>
internal sealed record ServedPackage(PackageId Id, ModelLane Lane, string Stamp);

/// <summary>The lanes that serve now, by model and version.</summary>
/// <remarks>Thread-safe. A lane leaves to <paramref name="retired"/> in the moment in which it stops serving.</remarks>
/// <param name="retired">Takes lanes that were replaced or taken out.</param>
/// <param name="defaultModel">Comes first in lists.</param>
internal sealed class ServedLanes(RetiredLanes retired, string defaultModel)
{
    private readonly Lock _gate = new();

    /// <summary>At least one package for each model, the newest version first.</summary>
    private readonly Dictionary<string, ServedPackage[]> _models = new(StringComparer.Ordinal);

    private bool _stopped;

    /// <summary>The lane of each model's newest version: the default model's first, then by name.</summary>
    public IReadOnlyList<ModelLane> Newest
    {
        get
        {
            lock (_gate)
            {
                return [.. Ordered_NeedsLock().Select(versions => versions[0].Lane)];
            }
        }
    }

    /// <summary>All packages that are served: the default model's first, then by name; newer versions first.</summary>
    public IReadOnlyList<ServedPackage> All
    {
        get
        {
            lock (_gate)
            {
                return [.. Ordered_NeedsLock().SelectMany(versions => versions)];
            }
        }
    }

    /// <summary>The lanes that serve now, and those that still answer requests.</summary>
    public IReadOnlyList<ModelLane> Working
    {
        get
        {
            lock (_gate)
            {
                return
                [
                    .. _models.Values.SelectMany(versions => versions, (_, served) => served.Lane),
                    .. retired.Lanes,
                ];
            }
        }
    }

    /// <summary>The packages of a model that are served, the newest version first; empty for none.</summary>
    public IReadOnlyList<ServedPackage> Find(string model)
    {
        lock (_gate)
        {
            return _models.GetValueOrDefault(model, []);
        }
    }

    /// <summary>The package as it is served; null when it is not.</summary>
    public ServedPackage? Find(PackageId id) => Find(id.Model).FirstOrDefault(served => served.Id == id);

    /// <summary>Takes a lane.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="version">The version; null for the newest.</param>
    /// <param name="use">To be disposed when the request is answered.</param>
    /// <returns>False when it is not served.</returns>
    public bool TryTake(string model, string? version, [NotNullWhen(true)] out LaneUse? use)
    {
        lock (_gate)
        {
            use = null;
            foreach (var served in _models.GetValueOrDefault(model, []))
            {
                if (version is null || version == served.Lane.Model.Contract.Version)
                {
                    use = served.Lane.TryBeginUse() ? new LaneUse(served.Lane) : null;
                    break;
                }
            }

            return use is not null;
        }
    }

    /// <summary>Lets a lane serve, in place of the one that served the package.</summary>
    /// <returns>False when the process ends; the lane stays the caller's then.</returns>
    public bool TryServe(ServedPackage package)
    {
        lock (_gate)
        {
            if (_stopped)
            {
                return false;
            }

            var versions = _models.GetValueOrDefault(package.Id.Model, []);
            _models[package.Id.Model] =
            [
                .. versions.Where(served => served.Id != package.Id).Append(package)
                    .OrderByDescending(served => served.Id.Number ?? 0),
            ];
            if (Array.Find(versions, served => served.Id == package.Id) is { } replaced)
            {
                retired.Add(replaced.Lane);
            }

            return true;
        }
    }

    /// <summary>Takes packages of a model out of service.</summary>
    /// <param name="model">Name of the model.</param>
    /// <param name="kept">Those that go on serving.</param>
    /// <returns>Those that were taken out.</returns>
    public IReadOnlyList<PackageId> Retire(string model, IReadOnlySet<PackageId> kept)
    {
        lock (_gate)
        {
            var versions = _models.GetValueOrDefault(model, []);
            var left = Array.FindAll(versions, served => kept.Contains(served.Id));
            if (left.Length > 0)
            {
                _models[model] = left;
            }
            else
            {
                _models.Remove(model);
            }

            var ended = versions.Except(left).ToList();
            ended.ForEach(served => retired.Add(served.Lane));
            return [.. ended.Select(served => served.Id)];
        }
    }

    /// <summary>Lets no further lane serve.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopped = true;
        }
    }

    private IEnumerable<ServedPackage[]> Ordered_NeedsLock() => _models
        .OrderBy(model => model.Key != defaultModel)
        .ThenBy(model => model.Key, StringComparer.Ordinal)
        .Select(model => model.Value);
}
