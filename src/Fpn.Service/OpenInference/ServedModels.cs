using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.OpenInference;

/// <summary>Finds the model that a path names.</summary>
internal sealed class ServedModels(LaneRegistry lanes)
{
    /// <summary>Finds a model.</summary>
    /// <param name="name">Its name, case-sensitive.</param>
    /// <param name="version">The version that must be loaded, case-sensitive; null for any.</param>
    /// <returns>A hold on it, which the caller disposes; or the problem that it is not served.</returns>
    public Outcome<LaneUse> Take(string name, string? version)
    {
        if (!lanes.TryTake(name, out var use))
        {
            return Problem.UnknownModel(name, lanes.Names);
        }

        var loaded = use.Lane.Model.Contract.Version;
        if (version is null || version == loaded)
        {
            return use;
        }

        use.Dispose();
        return Problem.UnknownVersion(name, version, loaded);
    }
}
