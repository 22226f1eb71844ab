using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Fpn.Client;

/// <summary>Turns answers into values, and failures into exceptions.</summary>
internal static class AnswerReader
{
    /// <summary>Reads JSON.</summary>
    /// <exception cref="HttpRequestException">It is not the JSON that was expected.</exception>
    public static async Task<T> ReadAsync<T>(
        HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = body.ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(body, type, cancellationToken).ConfigureAwait(false)
                ?? throw new JsonException("It is null.");
        }
        catch (JsonException exception)
        {
            throw NotUnderstood(response, exception);
        }
    }

    /// <summary>An answer that reports success, and is not what the service answers.</summary>
    public static HttpRequestException NotUnderstood(HttpResponseMessage response, JsonException exception)
    {
        var address = response.RequestMessage?.RequestUri?.GetLeftPart(UriPartial.Path);
        return new HttpRequestException(
            HttpRequestError.InvalidResponse,
            $"{address} did not answer as Fpn.Service does: {exception.Message}",
            exception,
            response.StatusCode);
    }

    /// <summary>Reads a failure.</summary>
    /// <returns>What to throw.</returns>
    public static async Task<FpnProblemException> ReadProblemAsync(
        HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var body = IsProblem(response.Content.Headers.ContentType)
            ? await TryReadAsync(response, cancellationToken).ConfigureAwait(false)
            : null;
        body ??= new ProblemBody { Title = response.ReasonPhrase is { Length: > 0 } reason ? reason : null };
        var requestId = response.Headers.TryGetValues("X-Request-Id", out var ids) ? ids.FirstOrDefault() : null;
        return new FpnProblemException(
            body.ToProblem((int)response.StatusCode, RetryRules.RetryAfter(response, TimeProvider.System)), requestId);
    }

    private static bool IsProblem(MediaTypeHeaderValue? type) =>
        string.Equals(type?.MediaType, "application/problem+json", StringComparison.OrdinalIgnoreCase);

    private static async Task<ProblemBody?> TryReadAsync(
        HttpResponseMessage response, CancellationToken cancellationToken)
    {
        try
        {
            var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = body.ConfigureAwait(false);
            return await JsonSerializer.DeserializeAsync(body, ClientJson.Default.ProblemBody, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (JsonException)
        {
            // What a proxy wrote; the status says enough.
            return null;
        }
    }
}
