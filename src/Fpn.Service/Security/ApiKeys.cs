using System.Diagnostics.CodeAnalysis;
using Fpn.Settings;

namespace Fpn.Service.Security;

/// <summary>The API keys as they are now: read at start, and again whenever their files change.</summary>
/// <remarks>Thread-safe: each lookup sees one whole set of keys, the old or the new.</remarks>
internal sealed partial class ApiKeys : IDisposable
{
    private readonly KeySource _source;
    private readonly KeyOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<ApiKeys> _logger;
    private readonly ITimer? _timer;
    private Dictionary<string, Rate> _rates = new(StringComparer.OrdinalIgnoreCase);
    private byte[] _seen = [];
    private string? _failure;
    private volatile KeyRing _ring = new([]);

    /// <summary>Reads the keys, if any are configured.</summary>
    /// <exception cref="SettingsException">They cannot be read.</exception>
    public ApiKeys(
        KeyOptions options,
        TokenOptions tokens,
        IHostEnvironment environment,
        TimeProvider clock,
        ILogger<ApiKeys> logger)
    {
        (_options, _clock, _logger) = (options, clock, logger);
        _source = new KeySource(options, environment.ContentRootPath);
        if (!IsOn)
        {
            if (!tokens.AreTaken())
            {
                LogOpen(logger);
            }

            return;
        }

        Take(_source.ReadIfChanged(ref _seen)!);
        if (options.File is not null)
        {
            // Armed again after each reload, so that reloads never overlap.
            _timer = clock.CreateTimer(_ => Reload(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(options.ReloadInterval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Whether keys are asked for.</summary>
    /// <remarks>
    /// Decided at start: a file that becomes empty locks every caller out, and does not open the service.
    /// </remarks>
    public bool IsOn => _options.AreConfigured();

    /// <summary>Whether any valid key may be used for this; false while no keys are asked for.</summary>
    public bool HasScope(KeyScope scope) => _ring.HasScope(scope);

    /// <summary>Finds the holder of a key.</summary>
    /// <param name="key">The key as it was sent, of any length.</param>
    /// <param name="holder">Its holder.</param>
    /// <returns>False when the key is not valid.</returns>
    public bool TryFind(ReadOnlySpan<char> key, [NotNullWhen(true)] out Caller? holder)
    {
        holder = null;
        if (KeyDigest.IsPossible(key))
        {
            Span<byte> digest = stackalloc byte[KeyDigest.Length];
            KeyDigest.Compute(key, digest);
            holder = _ring.Find(digest);
        }

        return holder is not null;
    }

    /// <inheritdoc/>
    public void Dispose() => _timer?.Dispose();

    private void Reload()
    {
        try
        {
            if (_source.ReadIfChanged(ref _seen) is { } keys)
            {
                Take(keys);
            }

            _failure = null;
        }
        catch (SettingsException exception)
        {
            Fail(exception.Message);
        }
        finally
        {
            _timer!.Change(_options.ReloadInterval, Timeout.InfiniteTimeSpan);
        }
    }

    private void Fail(string message)
    {
        // Logged once, not every few seconds.
        if (message != _failure)
        {
            _failure = message;
            LogFailure(_logger, message);
        }
    }

    private void Take(IReadOnlyList<KeyEntry> keys)
    {
        var rates = new Dictionary<string, Rate>(StringComparer.OrdinalIgnoreCase);
        var holders = new List<(byte[] Digest, Caller Holder)>(keys.Count);
        foreach (var key in keys)
        {
            var bucket = BucketFor(key, rates);
            holders.Add((key.Digest, new Caller(key.Name, key.Scopes, key.HighestPriority, bucket)));
        }

        (_ring, _rates) = (new KeyRing(holders), rates);
        if (keys.Count == 0)
        {
            LogNone(_logger);
        }
        else
        {
            var names = string.Join(", ", keys.Select(key => key.Name));
            LogKeys(_logger, keys.Count, names);
        }
    }

    /// <summary>A key whose rate stays the same keeps its bucket: a change elsewhere does not refill it.</summary>
    private TokenBucket? BucketFor(KeyEntry key, Dictionary<string, Rate> rates)
    {
        if (key.RequestsPerMinute is not { } perMinute)
        {
            return null;
        }

        var rate = _rates.TryGetValue(key.Name, out var old) && (old.PerMinute, old.Burst) == (perMinute, key.Burst)
            ? old
            : new Rate(perMinute, key.Burst, new TokenBucket(perMinute, key.Burst, _clock));
        rates[key.Name] = rate;
        return rate.Bucket;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} API keys are valid: {Names}")]
    private static partial void LogKeys(ILogger logger, int count, string names);

    [LoggerMessage(Level = LogLevel.Warning, Message = "No API key is valid: everything that needs one is refused")]
    private static partial void LogNone(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No API keys are configured (Fpn:Keys): everybody who reaches the port may ask")]
    private static partial void LogOpen(ILogger logger);

    [LoggerMessage(Level = LogLevel.Error, Message = "The API keys stay as they were: {Reason}")]
    private static partial void LogFailure(ILogger logger, string reason);

    /// <summary>The bucket of a key, and the rate that it was made for.</summary>
    private sealed record Rate(int PerMinute, int Burst, TokenBucket Bucket);
}
