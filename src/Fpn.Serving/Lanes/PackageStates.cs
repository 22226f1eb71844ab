using Fpn.Models.Loading;

namespace Fpn.Serving.Lanes;

/// <summary>Remembers what became of packages: which is being loaded, and why others are not served.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class PackageStates
{
    private readonly Lock _gate = new();

    /// <summary>Why the last load of a package failed, or why it is not served.</summary>
    private readonly Dictionary<PackageId, string> _reasons = [];

    private PackageId? _loading;

    /// <summary>A package is being loaded, as the only one; <see cref="End"/> must follow.</summary>
    public void Begin(PackageId id)
    {
        lock (_gate)
        {
            _loading = id;
        }
    }

    /// <summary>What is served of a package is what its files say, or it could not be loaded.</summary>
    /// <param name="id">The package.</param>
    /// <param name="failure">Null, or why it could not.</param>
    public void End(PackageId id, string? failure)
    {
        lock (_gate)
        {
            _loading = null;
            if (failure is null)
            {
                _reasons.Remove(id);
            }
            else
            {
                _reasons[id] = failure;
            }
        }
    }

    /// <summary>The package was taken out of service.</summary>
    public void Unload(PackageId id)
    {
        lock (_gate)
        {
            _reasons[id] = "unloaded";
        }
    }

    /// <summary>Describes a package.</summary>
    /// <param name="id">The package.</param>
    /// <param name="served">Its lane; null when it has none.</param>
    public ModelState Describe(PackageId id, ModelLane? served)
    {
        lock (_gate)
        {
            var reason = _reasons.GetValueOrDefault(id, string.Empty);
            var availability = served is not null ? ModelAvailability.Ready
                : _loading == id ? ModelAvailability.Loading
                : reason.Length > 0 ? ModelAvailability.Unavailable
                : ModelAvailability.Unloaded;
            return new ModelState(id.Model, served?.Model.Contract.Version ?? id.Version, availability, reason);
        }
    }
}
