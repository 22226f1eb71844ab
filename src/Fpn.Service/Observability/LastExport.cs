using Fpn.Service.Lifetime;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Fpn.Service.Observability;

/// <summary>Sends the last metrics and traces after the last answer, in the time that the shutdown has left.</summary>
/// <remarks>Its construction creates the providers, which record from then on.</remarks>
internal sealed class LastExport(
    MeterProvider meters, ShutdownOptions shutdown, TimeProvider clock, IServiceProvider services)
    : IHostedLifecycleService
{
    /// <summary>The longest wait for a collector: the timeout of the exporter itself.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>The least time that the shutdown has left after the export.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(300);

    private readonly Lock _gate = new();
    private readonly TracerProvider? _traces = services.GetService<TracerProvider>();
    private readonly ExportFailureLog? _failures = services.GetService<ExportFailureLog>();
    private Task? _sent;
    private long _stopping;

    /// <summary>Whether metrics and traces go to a collector.</summary>
    public bool Sends => _failures is not null;

    /// <inheritdoc/>
    /// <remarks>Sends once, however often the host is stopped; further calls wait for the same export.</remarks>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _sent ??= SendAsync_NeedsLock();
        }
    }

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopping = clock.GetTimestamp();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private Task SendAsync_NeedsLock()
    {
        var left = shutdown.Timeout - clock.GetElapsedTime(_stopping) - Margin;
        var patience = (int)Math.Clamp(left.TotalMilliseconds, 0, Longest.TotalMilliseconds);
        return Task.WhenAll(
            Task.Run(() => _traces?.Shutdown(patience), CancellationToken.None),
            Task.Run(() => meters.Shutdown(patience), CancellationToken.None));
    }
}
