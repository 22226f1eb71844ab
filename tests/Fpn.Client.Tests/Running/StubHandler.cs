using System.Net;
using System.Text;

namespace Fpn.Client.Tests.Running;

/// <summary>A server of a few lines.</summary>
/// <param name="answers">Each request is answered by the next one, and by the last one from then on.</param>
internal sealed class StubHandler(params Func<HttpRequestMessage, Task<HttpResponseMessage>>[] answers)
    : HttpMessageHandler
{
    /// <summary>The address that is asked; nothing listens there.</summary>
    public static readonly Uri Address = new("http://service.invalid/");

    /// <summary>What has been asked so far.</summary>
    public List<Uri?> Requests { get; } = [];

    /// <summary>Answers with a status and a body, and does not read the request's.</summary>
    public static Func<HttpRequestMessage, Task<HttpResponseMessage>> Answer(
        HttpStatusCode status, string body = "{}", string type = "application/json", string? retryAfter = null) =>
        request =>
        {
            var response = new HttpResponseMessage(status)
            {
                Content = new StringContent(body, Encoding.UTF8, type),
                RequestMessage = request,
            };
            if (retryAfter is not null)
            {
                response.Headers.Add("Retry-After", retryAfter);
            }

            return Task.FromResult(response);
        };

    /// <summary>Fails as a connection does that cannot be made.</summary>
    public static Task<HttpResponseMessage> Refuse(HttpRequestMessage request) =>
        Task.FromException<HttpResponseMessage>(new HttpRequestException(HttpRequestError.ConnectionError, "Refused."));

    /// <summary>A client that sends here, through the retries.</summary>
    /// <param name="clock">Of the retries.</param>
    /// <param name="options">Null for the defaults.</param>
    public FpnClient ClientWithRetries(TimeProvider clock, FpnClientOptions? options = null) =>
        new(new HttpClient(new FpnRetryHandler(options ?? new FpnClientOptions(), clock) { InnerHandler = this })
        {
            BaseAddress = Address,
        });

    /// <summary>A client that sends here at once.</summary>
    public FpnClient Client() => new(new HttpClient(this) { BaseAddress = Address });

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Requests.Add(request.RequestUri);
        return answers[Math.Min(Requests.Count, answers.Length) - 1](request).WaitAsync(cancellationToken);
    }
}
