using Fpn.Service.Lifetime;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Fpn.Service.Observability;

/// <summary>After the last answer, sends what was not sent, within what is left of the shutdown.</summary>
/// <remarks>Making it makes the providers, so that nothing is missed from then on.</remarks>
/// <param name="meters">Aggregates metrics.</param>
/// <param name="shutdown">How long the end may take.</param>
/// <param name="clock">Tells the time.</param>
/// <param name="services">Where the rest is, if anything is sent at all.</param>
internal sealed class LastExport(
    MeterProvider meters, ShutdownOptions shutdown, TimeProvider clock, IServiceProvider services) : IHostedLifecycleService
{
    /// <summary>How long the end waits for a collector at most: as long as the exporter itself.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);

    /// <summary>What is left of the shutdown's time after that, at least.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromMilliseconds(300);

    private readonly Lock _gate = new();
    private readonly TracerProvider? _traces = services.GetService<TracerProvider>();
    private readonly ExportFailureLog? _failures = services.GetService<ExportFailureLog>();
    private Task? _sent;
    private long _stopping;

    /// <summary>Whether metrics and traces go to a collector.</summary>
    public bool Sends => _failures is not null;

    /// <inheritdoc/>
    /// <remarks>Once, however often the host is told to stop: who comes second waits as long.</remarks>
    public Task StoppedAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _sent ??= SendAsync();
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

    private Task SendAsync()
    {
        var left = shutdown.Timeout - clock.GetElapsedTime(_stopping) - Margin;
        var patience = (int)Math.Clamp(left.TotalMilliseconds, 0, Longest.TotalMilliseconds);
        return Task.WhenAll(
            Task.Run(() => _traces?.Shutdown(patience), CancellationToken.None),
            Task.Run(() => meters.Shutdown(patience), CancellationToken.None));
    }
}
