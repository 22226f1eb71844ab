namespace Fpn.Service.Security;

/// <summary>A token bucket: lets a burst through, and a steady rate after it.</summary>
/// <param name="perMinute">Tokens that flow in each minute, at least 1.</param>
/// <param name="burst">Capacity in tokens, at least 1; the bucket starts full.</param>
/// <param name="clock">Measures the time.</param>
/// <remarks>
/// Thread-safe. The framework's own (<c>System.Threading.RateLimiting</c>) reads the system's clock, which tests cannot
/// move, and allows no debt.
/// </remarks>
internal sealed class TokenBucket(int perMinute, int burst, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private double _tokens = burst;
    private long _filledAt = clock.GetTimestamp();

    /// <summary>Takes one token.</summary>
    /// <param name="retryAfter">When the bucket is empty: the time until it holds a token.</param>
    /// <returns>Whether a token was taken.</returns>
    public bool TryTake(out TimeSpan retryAfter)
    {
        lock (_gate)
        {
            Fill_NeedsLock();
            if (_tokens >= 1)
            {
                _tokens -= 1;
                retryAfter = TimeSpan.Zero;
                return true;
            }

            retryAfter = TimeSpan.FromMinutes((1 - _tokens) / perMinute);
            return false;
        }
    }

    /// <summary>Takes tokens even when the bucket holds fewer: the debt is filled first.</summary>
    /// <param name="tokens">How many, 0 or more.</param>
    public void Owe(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        lock (_gate)
        {
            Fill_NeedsLock();
            _tokens -= tokens;
        }
    }

    private void Fill_NeedsLock()
    {
        var now = clock.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + clock.GetElapsedTime(_filledAt, now).TotalMinutes * perMinute);
        _filledAt = now;
    }
}
