namespace Fpn.Service.Security;

/// <summary>A token bucket: lets a burst through, and a steady rate after it.</summary>
/// <param name="perMinute">Tokens that flow in each minute, at least 1.</param>
/// <param name="burst">Tokens that there is room for, at least 1; the bucket begins full.</param>
/// <param name="clock">Measures the flow.</param>
/// <remarks>
/// Thread-safe. The framework's own (<c>System.Threading.RateLimiting</c>) reads the system's clock, which tests cannot
/// move, and knows no debt.
/// </remarks>
internal sealed class TokenBucket(int perMinute, int burst, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private double _tokens = burst;
    private long _filledAt = clock.GetTimestamp();

    /// <summary>Takes one token.</summary>
    /// <param name="retryAfter">When there is none: the time until there is one.</param>
    /// <returns>Whether there was one.</returns>
    public bool TryTake(out TimeSpan retryAfter)
    {
        lock (_gate)
        {
            Fill();
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

    /// <summary>Takes tokens whether they are there or not; what is missing flows in first.</summary>
    /// <param name="tokens">How many, 0 or more.</param>
    public void Owe(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        lock (_gate)
        {
            Fill();
            _tokens -= tokens;
        }
    }

    private void Fill()
    {
        var now = clock.GetTimestamp();
        _tokens = Math.Min(burst, _tokens + clock.GetElapsedTime(_filledAt, now).TotalMinutes * perMinute);
        _filledAt = now;
    }
}
