using Fpn.Service.Lifetime;
using Fpn.Serving.Lanes;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Fpn.Service.Observability;

/// <summary>Ready while every model is loaded and the service was not told to end.</summary>
/// <param name="lanes">The models; loaded and warm before the port opens.</param>
/// <param name="drain">Whether the end has begun.</param>
internal sealed class ReadinessCheck(LaneRegistry lanes, Drain drain) : IHealthCheck
{
    /// <summary>Why the service is not ready once it was told to end.</summary>
    public const string ShuttingDown = "Shutting down.";

    /// <summary>Why the service is not ready; null while it is.</summary>
    public string? Obstacle
    {
        get
        {
            if (drain.HasBegun)
            {
                return ShuttingDown;
            }

            var lost = lanes.Lanes.Where(lane => lane.Model.IsLost).Select(lane => lane.Model.Contract.Name).ToList();
            return lost.Count > 0 ? $"The device was lost: {string.Join(", ", lost)}." : null;
        }
    }

    /// <summary>What the models run on and why.</summary>
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
