using Fpn.Service.Batching;
using Fpn.Service.Lifetime;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fpn.Service.Observability;

/// <summary>Ready while every model is loaded and the service was not told to end.</summary>
/// <param name="lanes">The models; loaded and warm before the port opens.</param>
/// <param name="drain">Whether the end has begun.</param>
internal sealed class ReadinessCheck(LaneRegistry lanes, Drain drain) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var lost = lanes.Lanes.Where(lane => lane.Model.IsLost).Select(lane => lane.Model.Contract.Name).ToList();
        return Task.FromResult(
            drain.HasBegun ? HealthCheckResult.Unhealthy("Shutting down.")
            : lost.Count > 0 ? HealthCheckResult.Unhealthy($"The device was lost: {string.Join(", ", lost)}.")
            : HealthCheckResult.Healthy("Every model is loaded and warm."));
    }
}
