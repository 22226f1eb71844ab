namespace Fpn.Serving.Lanes;

/// <summary>The state of a package in the folder.</summary>
internal enum ModelAvailability
{
    /// <summary>It was never loaded.</summary>
    Unloaded,

    /// <summary>It is being loaded and warmed up, and no other version of it is served meanwhile.</summary>
    Loading,

    /// <summary>It is served.</summary>
    Ready,

    /// <summary>It is not served: it was unloaded, or it could not be loaded.</summary>
    Unavailable,
}

/// <summary>A package and its state.</summary>
/// <param name="Name">Name of the model.</param>
/// <param name="Version">The version that is served, or the number of its folder; null when it has neither.</param>
/// <param name="Availability">Whether it is served.</param>
/// <param name="Reason">Why it is not served, or why a newer package did not take over; empty otherwise.</param>
internal sealed record ModelState(string Name, string? Version, ModelAvailability Availability, string Reason);
