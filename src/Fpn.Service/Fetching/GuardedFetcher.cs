using System.Net;
using Fpn.Service.Bodies;
using Fpn.Service.Engine;
using Fpn.Service.Problems;

namespace Fpn.Service.Fetching;

/// <summary>Fetches the images that requests name by URL: the only place that does.</summary>
/// <remarks>
/// A URL in a request has the service connect to something from inside its network. So hosts are listed, their
/// addresses are checked and pinned (<see cref="PinnedConnector"/>), each redirect is checked as the URL was, and size,
/// time and number of fetches are limited. Thread-safe.
/// </remarks>
internal sealed partial class GuardedFetcher(
    FetchOptions options,
    AllowedHosts hosts,
    FetchCredentials credentials,
    LimitsOptions limits,
    BodyMemory memory,
    TimeProvider clock,
    ILogger<GuardedFetcher> logger,
    HttpMessageHandler handler) : IDisposable
{
    private readonly HttpMessageInvoker _invoker = new(handler);
    private readonly SemaphoreSlim _slots = new(options.MaxConcurrent);

    /// <summary>Fetches an image.</summary>
    /// <param name="url">The URL as the request has it.</param>
    /// <param name="parameter">The name of what held it, for the problem.</param>
    /// <param name="cancellationToken">Ends the fetch: its connection is closed, its memory freed.</param>
    /// <returns>
    /// The encoded image, at most <see cref="LimitsOptions.MaxImageBytes"/> bytes, counted against
    /// <see cref="BodyMemory"/>, which the caller disposes. Or the problem: the URL is refused (400), it gave no image
    /// (400, 502), it was too slow (504), the image is too large (413), or there is no memory or no turn for it (503).
    /// </returns>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public async Task<Outcome<ImageBody>> FetchAsync(
        string url, string parameter, CancellationToken cancellationToken)
    {
        var problems = new FetchProblems(parameter);
        if (!hosts.Any)
        {
            return problems.IsOff();
        }

        if (!FetchTarget.TryParse(url, out var target))
        {
            return problems.NotAUrl();
        }

        if (!hosts.Allows(target))
        {
            return problems.HostNotAllowed(target);
        }

        using var timeout = new CancellationTokenSource(options.Timeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var entered = false;
        try
        {
            await _slots.WaitAsync(either.Token);
            entered = true;
            return await FollowAsync(target, problems, either.Token);
        }
        catch (Exception exception)
            when (exception is OperationCanceledException or HttpRequestException or IOException)
        {
            // A connection that is cut because of a token may report that as its own failure.
            cancellationToken.ThrowIfCancellationRequested();
            if (timeout.IsCancellationRequested)
            {
                return entered ? problems.TooSlow(options.Timeout) : FetchProblems.Busy(options.MaxConcurrent);
            }

            if (exception.InnerException is AddressRefusedException)
            {
                return problems.AddressNotAllowed();
            }

            LogFailed(logger, target.Host, exception.Message);
            return problems.Unreachable();
        }
        finally
        {
            if (entered)
            {
                _slots.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _invoker.Dispose();
        _slots.Dispose();
    }

    private async Task<Outcome<ImageBody>> FollowAsync(
        FetchTarget target, FetchProblems problems, CancellationToken cancellationToken)
    {
        var authorization = credentials.For(target);
        for (var redirects = 0; ; redirects++)
        {
            using var request = RequestFor(target, authorization, cancellationToken);
            using var response = await _invoker.SendAsync(request, cancellationToken);
            if (response.StatusCode == HttpStatusCode.OK)
            {
                return await ReadAsync(response.Content, problems, cancellationToken);
            }

            if (FindLocation(response) is not { } location)
            {
                return problems.Status((int)response.StatusCode);
            }

            if (redirects == options.MaxRedirects)
            {
                return problems.TooManyRedirects(options.MaxRedirects);
            }

            if (!target.TryFollow(location, out var next)
                || !hosts.Allows(next)
                || (target.Uri.Scheme == Uri.UriSchemeHttps && next.Uri.Scheme != Uri.UriSchemeHttps))
            {
                LogRedirect(logger, target.Host, next?.Origin ?? "something that is not a URL of http or https");
                return problems.RedirectNotAllowed();
            }

            // Another origin gets none, not even its own: it was not the request that chose it.
            authorization = next.Origin == target.Origin ? authorization : null;
            target = next;
        }
    }

    private static HttpRequestMessage RequestFor(
        FetchTarget target, string? authorization, CancellationToken cancellationToken)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, target.Uri);
        request.Options.Set(PinnedConnector.Cancellation, cancellationToken);
        request.Headers.ConnectionClose = true;
        request.Headers.Add("Accept", "image/*");
        request.Headers.Add("Accept-Encoding", "identity");

        // Some hosts refuse clients without a name.
        request.Headers.Add("User-Agent", "Fpn.Service");
        if (authorization is not null)
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        return request;
    }

    /// <summary>Where a redirect leads; null when the answer is not one.</summary>
    /// <remarks>As text: on Unix the framework takes <c>/path</c> alone for the address of a file.</remarks>
    private static string? FindLocation(HttpResponseMessage response) =>
        response.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
            or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect
        && response.Headers.NonValidated.TryGetValues("Location", out var values)
        && values.Count == 1
            ? values.ToString()
            : null;

    private async Task<Outcome<ImageBody>> ReadAsync(
        HttpContent content, FetchProblems problems, CancellationToken cancellationToken)
    {
        var announced = content.Headers.ContentLength;
        if (announced > limits.MaxImageBytes)
        {
            return Problem.ImageTooLarge(limits.MaxImageBytes);
        }

        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var read = await ImageBody.ReadAsync(
            stream, announced, limits.MaxImageBytes, Problem.ImageTooLarge, memory, cancellationToken);
        if (!read.Succeeded(out var body, out _) || body.Length > 0)
        {
            return read;
        }

        body.Dispose();
        return problems.Empty();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Fetching from {Host} failed: {Reason}")]
    private static partial void LogFailed(ILogger logger, string host, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning, Message = "A redirect of {Host} is not followed: it leads to {Target}")]
    private static partial void LogRedirect(ILogger logger, string host, string target);
}
