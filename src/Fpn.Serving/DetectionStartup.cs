using Fpn.Serving.Lanes;
using Microsoft.Extensions.Hosting;

namespace Fpn.Serving;

/// <summary>Loads the models when the host starts, and ends the queue when it stops.</summary>
internal sealed class DetectionStartup(LaneRegistry lanes, LaneGauges gauges) : IHostedService
{
    private readonly Lock _gate = new();
    private Task? _loading;

    /// <summary>The gauges: requested here, since no other service needs them.</summary>
    public LaneGauges Gauges { get; } = gauges;

    /// <summary>Loads and warms every package, once; later calls return the same task.</summary>
    /// <inheritdoc cref="LaneRegistry.StartAsync"/>
    public Task LoadAsync()
    {
        lock (_gate)
        {
            return _loading ??= lanes.StartAsync();
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => LoadAsync().WaitAsync(cancellationToken);

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        lanes.Abandon();
        return Task.CompletedTask;
    }
}
