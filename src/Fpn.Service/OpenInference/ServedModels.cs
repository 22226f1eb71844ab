using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.OpenInference;

/// <summary>Finds the model that a path names.</summary>
internal sealed class ServedModels(LaneRegistry lanes)
{
    /// <summary>Finds a model.</summary>
    /// <param name="name">Its name, case-sensitive.</param>
    /// <param name="version">The version, case-sensitive; null for the newest.</param>
    /// <returns>A hold on it, which the caller disposes; or the problem that it is not served.</returns>
    public Outcome<LaneUse> Take(string name, string? version)
    {
        if (lanes.TryTake(name, version, out var use))
        {
            return use;
        }

        var loaded = Find(name);
        return version is null || loaded.Count == 0
            ? Problem.UnknownModel(name, lanes.Names)
            : Problem.UnknownVersion(name, version, loaded.Select(lane => lane.Model.Contract.Version));
    }

    /// <summary>The versions of a model that are served, the newest first; empty when it is not served.</summary>
    /// <param name="name">Its name, case-sensitive.</param>
    public IReadOnlyList<ModelLane> Find(string name) => lanes.LanesFor(name);
}
