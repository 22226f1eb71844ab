using Fpn.Service.Problems;
using Fpn.Serving.Lanes;

namespace Fpn.Service.Repository;

/// <summary>The model repository extension of the Open Inference Protocol, whichever way it is asked.</summary>
internal sealed class RepositoryControl(ControlOptions options, LaneRegistry lanes)
{
    /// <summary>The one parameter that unloading knows: a boolean without effect.</summary>
    public const string UnloadDependents = "unload_dependents";

    /// <summary>Whether the extension is switched on.</summary>
    /// <returns>Null, or the problem that it is not.</returns>
    public Problem? CheckEnabled() => options.Enabled ? null : Problem.ControlOff();

    /// <summary>Checks a parameter of a load or unload request.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isBoolean">Whether its value is true or false.</param>
    /// <param name="known">The names that are allowed.</param>
    /// <returns>Null, or its problem.</returns>
    public static Problem? CheckParameter(string name, bool isBoolean, params string[] known)
    {
        if (!known.Contains(name))
        {
            return Problem.BadParameter(
                name,
                $"the parameter '{name}' is not allowed: a package's own folder says what is loaded, a request "
                + "brings neither files nor configuration");
        }

        return isBoolean ? null : Problem.BadParameter(name, $"the parameter '{name}' must be true or false");
    }

    /// <summary>Lists all packages, or those that are served.</summary>
    public IReadOnlyList<RepositoryModelResponse> List(bool readyOnly) =>
    [
        .. lanes.States
            .Where(state => !readyOnly || state.Availability == ModelAvailability.Ready)
            .Select(Describe),
    ];

    /// <summary>Loads a package, or reloads it; ends once it serves.</summary>
    /// <returns>Null, or the problem why it was not loaded.</returns>
    public async Task<Problem?> LoadAsync(string name) => await lanes.LoadAsync(name) is { } failure
        ? Problem.ModelNotLoaded($"failed to load '{name}': {failure}")
        : null;

    /// <summary>Takes a model out of service; ends at once, while its last requests may still run.</summary>
    /// <returns>Null, or the problem that there is no such package.</returns>
    public async Task<Problem?> UnloadAsync(string name) =>
        await lanes.UnloadAsync(name) || lanes.States.Any(state => state.Name == name)
            ? null
            : Problem.ModelNotLoaded($"failed to unload '{name}': there is no package '{name}'");

    private static RepositoryModelResponse Describe(ModelState state) => new(
        state.Name,
        state.Version,
        state.Availability == ModelAvailability.Unloaded ? null : state.Availability.ToString().ToUpperInvariant(),
        state.Availability == ModelAvailability.Unloaded ? null : state.Reason);
}
