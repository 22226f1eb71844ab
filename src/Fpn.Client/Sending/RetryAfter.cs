namespace Fpn.Client.Sending;

/// <summary>Reads the header <c>Retry-After</c>.</summary>
internal static class RetryAfter
{
    /// <summary>How long to wait.</summary>
    /// <param name="response">Null when there was no answer.</param>
    /// <param name="timeProvider">The time, for a header that names a date.</param>
    /// <returns>At least zero; null when the answer does not say.</returns>
    public static TimeSpan? Read(HttpResponseMessage? response, TimeProvider timeProvider)
    {
        if (response?.Headers.RetryAfter is not { } header)
        {
            return null;
        }

        // The sender's own clock where it is known: ours may differ.
        var wait = header.Delta ?? header.Date - (response.Headers.Date ?? timeProvider.GetUtcNow());
        return wait < TimeSpan.Zero ? TimeSpan.Zero : wait;
    }
}
