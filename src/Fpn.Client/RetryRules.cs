using System.Net;
using Polly;

namespace Fpn.Client;

/// <summary>Which failures a retry may mend.</summary>
internal static class RetryRules
{
    /// <summary>Whether another attempt may end differently.</summary>
    public static bool IsTransient(Outcome<HttpResponseMessage> outcome) => outcome switch
    {
        { Result.StatusCode: HttpStatusCode.TooManyRequests or HttpStatusCode.ServiceUnavailable } => true,
        { Exception: HttpRequestException failure } => IsConnectionFailure(failure),
        _ => false,
    };

    /// <summary>Whether the same content can be sent once more.</summary>
    /// <param name="content">Null for requests without a body.</param>
    public static bool CanSendAgain(HttpContent? content) => content switch
    {
        null or ByteArrayContent or ReadOnlyMemoryContent => true,
        StreamImageContent image => image.CanBeSent,
        BatchContent batch => batch.All(CanSendAgain),
        _ => false,
    };

    /// <remarks>A certificate that is not trusted or an answer that is not HTTP stays so.</remarks>
    private static bool IsConnectionFailure(HttpRequestException failure) => failure.HttpRequestError switch
    {
        HttpRequestError.ConnectionError => true,
        HttpRequestError.NameResolutionError => true,
        HttpRequestError.ResponseEnded => true,

        // A connection that breaks while the body is sent.
        HttpRequestError.Unknown => failure is { StatusCode: null, InnerException: IOException },
        _ => false,
    };

    /// <summary>How long to wait.</summary>
    /// <param name="response">Null when there was no answer.</param>
    /// <param name="timeProvider">The time, for a header that names a date.</param>
    /// <returns>At least zero; null when the answer does not say.</returns>
    public static TimeSpan? RetryAfter(HttpResponseMessage? response, TimeProvider timeProvider)
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
