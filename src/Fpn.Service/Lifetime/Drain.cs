namespace Fpn.Service.Lifetime;

/// <summary>
/// The state between SIGTERM and the end: readiness fails, requests are still served, connections are not kept.
/// </summary>
internal sealed partial class Drain(ShutdownOptions options, TimeProvider clock, ILogger<Drain> logger)
    : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _closing = new();
    private readonly CancellationTokenSource _lastCall = new();
    private volatile bool _begun;

    /// <summary>Whether the shutdown has begun.</summary>
    public bool HasBegun => _begun;

    /// <summary>
    /// Cancelled when the delay is over and the port closes: what has arrived is answered, and no more.
    /// </summary>
    public CancellationToken Closing => _closing.Token;

    /// <summary>Cancelled shortly before the end, when waiting requests must be answered.</summary>
    public CancellationToken LastCall => _lastCall.Token;

    /// <summary>Cancels <see cref="LastCall"/>.</summary>
    public void CallLast() => _lastCall.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        _closing.Dispose();
        _lastCall.Dispose();
    }

    /// <inheritdoc/>
    /// <remarks>The host awaits this before it stops anything, the listener included.</remarks>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        _begun = true;
        LogDraining(logger, options.Delay.TotalSeconds);
        if (options.Delay > TimeSpan.Zero)
        {
            await Task.Delay(options.Delay, clock, cancellationToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await _closing.CancelAsync();
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "Shutting down: not ready any more, the port closes in {DelaySeconds} s")]
    private static partial void LogDraining(ILogger logger, double delaySeconds);
}
