using Polly;
using Polly.Retry;

namespace Fpn.Client;

/// <summary>Sends a request again after a 429, a 503 or a connection that failed.</summary>
/// <remarks>
/// <para>Detection changes nothing at the service, so every request may be sent twice. One whose body cannot be sent
/// again, since it came from a stream that cannot seek and was read already, is not.</para>
/// <para><see cref="FpnClientRegistration.AddFpnClient"/> adds this handler. Without dependency injection:
/// <c>new HttpClient(new FpnRetryHandler(options) { InnerHandler = new SocketsHttpHandler() })</c>. Thread-safe.</para>
/// </remarks>
public sealed class FpnRetryHandler : DelegatingHandler
{
    /// <summary>Set on requests whose first answer counts, such as health checks.</summary>
    internal static readonly HttpRequestOptionsKey<bool> Once = new("Fpn.Client.Once");

    private static readonly ResiliencePropertyKey<Attempts> AttemptsKey = new("Fpn.Client.Attempts");

    private readonly ResiliencePipeline<HttpResponseMessage> _pipeline;
    private readonly TimeProvider _timeProvider;
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _maxRetryDelay;

    /// <summary>Creates the handler.</summary>
    /// <param name="options">Only what is about time and retries is read, once.</param>
    /// <param name="timeProvider">Times the waits; null is the system's.</param>
    /// <exception cref="ArgumentException">An option cannot be used.</exception>
    public FpnRetryHandler(FpnClientOptions options, TimeProvider? timeProvider = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.FindFault() is { } fault)
        {
            throw new ArgumentException(fault, nameof(options));
        }

        _timeProvider = timeProvider ?? TimeProvider.System;
        _timeout = options.Timeout;
        _maxRetryDelay = options.MaxRetryDelay;
        _pipeline = options.MaxRetries == 0 ? ResiliencePipeline<HttpResponseMessage>.Empty : BuildPipeline(options);
    }

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Options.TryGetValue(Once, out var once) && once)
        {
            return await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }

        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        try
        {
            context.Properties.Set(AttemptsKey, new Attempts(request, _timeProvider.GetTimestamp()));
            return await _pipeline.ExecuteAsync(
                static async (context, state) => await state.Handler
                    .SendOnceAsync(state.Request, context.CancellationToken).ConfigureAwait(false),
                context,
                (Handler: this, Request: request)).ConfigureAwait(false);
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    private Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        base.SendAsync(request, cancellationToken);

    private ResiliencePipeline<HttpResponseMessage> BuildPipeline(FpnClientOptions options) =>
        new ResiliencePipelineBuilder<HttpResponseMessage> { TimeProvider = _timeProvider }
            .AddRetry(new RetryStrategyOptions<HttpResponseMessage>
            {
                MaxRetryAttempts = options.MaxRetries,
                Delay = options.RetryDelay,
                MaxDelay = options.MaxRetryDelay,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                ShouldHandle = arguments => ValueTask.FromResult(ShouldRetry(arguments)),
                DelayGenerator = arguments =>
                    ValueTask.FromResult(RetryRules.RetryAfter(arguments.Outcome.Result, _timeProvider)),
            })
            .Build();

    private bool ShouldRetry(RetryPredicateArguments<HttpResponseMessage> arguments)
    {
        var attempts = arguments.Context.Properties.GetValue(AttemptsKey, null!);
        if (!RetryRules.IsTransient(arguments.Outcome) || !RetryRules.CanSendAgain(attempts.Request.Content))
        {
            return false;
        }

        // The service is not asked earlier than it said, and no wait is begun that would end in a timeout.
        var wait = RetryRules.RetryAfter(arguments.Outcome.Result, _timeProvider) ?? TimeSpan.Zero;
        var end = _timeProvider.GetElapsedTime(attempts.Started) + wait;
        return wait <= _maxRetryDelay && (_timeout == Timeout.InfiniteTimeSpan || end < _timeout);
    }

    /// <summary>What the rules ask about one call.</summary>
    /// <param name="Request">Sent by every attempt.</param>
    /// <param name="Started">The time provider's timestamp of the first one.</param>
    private sealed record Attempts(HttpRequestMessage Request, long Started);
}
