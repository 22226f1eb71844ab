using Fpn.Models.Options;

namespace Fpn.Models.Execution.Devices;

/// <summary>Describes the device that the graphs run on.</summary>
/// <param name="Provider">Never <see cref="ExecutionProvider.Auto"/>.</param>
/// <param name="Name">For people.</param>
/// <param name="Reason">Why this one, for people.</param>
/// <param name="Streams">Batches that run on it at the same time.</param>
internal sealed record DeviceDescription(ExecutionProvider Provider, string Name, string Reason, int Streams)
{
    /// <summary>Whether each fixed shape of a backbone gets a session of its own.</summary>
    public bool SessionPerShape { get; init; }

    /// <summary>Whether shapes should be few and transfers be avoided.</summary>
    public bool IsGpu => Provider == ExecutionProvider.Cuda;

    /// <summary>The provider as settings, metrics and answers name it.</summary>
    public string ProviderName => Provider.ToString().ToLowerInvariant();
}
