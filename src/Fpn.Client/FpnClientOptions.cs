namespace Fpn.Client;

/// <summary>Where the service is, and how long and how often it is asked.</summary>
public sealed class FpnClientOptions
{
    /// <summary>The service's address, such as <c>http://localhost:8080</c>; may end in a path that a proxy serves it
    /// below. Required by <see cref="FpnClientRegistration.AddFpnClient"/>.</summary>
    public Uri? BaseAddress { get; set; }

    /// <summary>Sent as <c>X-Api-Key</c>; null, the default, sends none.</summary>
    public string? ApiKey { get; set; }

    /// <summary>How long one call may take, all attempts and the waits between them together; default 100 seconds.
    /// <see cref="System.Threading.Timeout.InfiniteTimeSpan"/> sets no limit.</summary>
    /// <remarks>A call that takes longer ends as those of <see cref="HttpClient"/> do: in a
    /// <see cref="TaskCanceledException"/> whose inner exception is a <see cref="TimeoutException"/>. A wait that would
    /// outlast the limit is not begun; the last answer is reported instead.</remarks>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(100);

    /// <summary>Attempts after the first one, at most; default 3, and 0 switches retries off.</summary>
    public int MaxRetries { get; set; } = 3;

    /// <summary>The wait before the first retry where the service does not say how long to wait; default half a second.
    /// It doubles with every retry, and is varied at random so that clients do not return together.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>The longest wait before a retry; default 30 seconds.</summary>
    /// <remarks>A <c>Retry-After</c> beyond it is not cut short: the request is not retried, and
    /// <see cref="FpnProblemException.RetryAfter"/> says when it may be.</remarks>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Finds the first option whose value cannot be used.</summary>
    /// <returns>A sentence that names it; null when all can be used.</returns>
    /// <remarks>Never quotes the key.</remarks>
    internal string? FindFault()
    {
        if (BaseAddress is { } address && (!address.IsAbsoluteUri || address.Scheme is not ("http" or "https")))
        {
            return $"{nameof(BaseAddress)} '{address}' is not an absolute http or https address.";
        }

        if (ApiKey is { } key && (key.Length == 0 || key.AsSpan().ContainsAnyExceptInRange('!', '~')))
        {
            return $"{nameof(ApiKey)} is empty or holds other characters than printable ASCII.";
        }

        if (Timeout != System.Threading.Timeout.InfiniteTimeSpan
            && (Timeout <= TimeSpan.Zero || Timeout > TimeSpan.FromMilliseconds(int.MaxValue)))
        {
            return $"{nameof(Timeout)} {Timeout} is not above zero and at most 24 days.";
        }

        if (MaxRetries < 0)
        {
            return $"{nameof(MaxRetries)} {MaxRetries} is below zero.";
        }

        var day = TimeSpan.FromDays(1);
        if (RetryDelay < TimeSpan.Zero || RetryDelay > day)
        {
            return $"{nameof(RetryDelay)} {RetryDelay} is not between zero and a day.";
        }

        return MaxRetryDelay < TimeSpan.Zero || MaxRetryDelay > day
            ? $"{nameof(MaxRetryDelay)} {MaxRetryDelay} is not between zero and a day."
            : null;
    }
}
