using System.Net;
using Polly;

namespace Fpn.Client.Sending;

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
}
