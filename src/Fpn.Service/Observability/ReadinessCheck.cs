using Fpn.Service.Lifetime;
using Fpn.Serving.Lanes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fpn.Service.Observability;

/// <summary>The readiness check: healthy while every model is loaded and the shutdown has not begun.</summary>
internal sealed class ReadinessCheck(LaneRegistry lanes, Drain drain) : IHealthCheck
{
    /// <summary>The reason why the service is not ready during the shutdown.</summary>
    public const string ShuttingDown = "Shutting down.";

    /// <summary>The reason why the service is not ready; null while it is.</summary>
    public string? Obstacle
    {
        get
        {
            if (drain.HasBegun)
            {
                return ShuttingDown;
            }

            var lost = lanes.AllLanes.Where(lane => lane.Model.IsLost)
                .Select(lane => lane.Model.Contract.Name)
                .Distinct()
                .ToList();
            return lost.Count > 0 ? $"The device was lost: {string.Join(", ", lost)}." : null;
        }
    }

    /// <summary>The device that the models run on, and the reason for it.</summary>
    private Dictionary<string, object> Execution => new()
    {
        ["provider"] = lanes.Device.ProviderName,
        ["device"] = lanes.Device.Name,
        ["reason"] = lanes.Device.Reason,
    };

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            Obstacle is { } obstacle
                ? HealthCheckResult.Unhealthy(obstacle, data: Execution)
                : HealthCheckResult.Healthy("Every model is loaded and warm.", Execution));
}
