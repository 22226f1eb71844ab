using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Net.Http.Headers;

namespace Fpn.Service.Observability;

/// <summary>The body of <c>/health/ready</c>: one word for probes, details for clients that accept JSON.</summary>
internal static class HealthAnswer
{
    private const string Json = "application/json";

    /// <summary>Writes the answer; the status code is set already.</summary>
    public static Task WriteAsync(HttpContext context, HealthReport report)
    {
        if (!WantsJson(context.Request))
        {
            context.Response.ContentType = "text/plain";
            return context.Response.WriteAsync(report.Status.ToString(), context.RequestAborted);
        }

        var checks = report.Entries.ToDictionary(
            entry => entry.Key,
            entry => new HealthCheckResponse(entry.Value.Status.ToString(), entry.Value.Description, entry.Value.Data));
        return context.Response.WriteAsJsonAsync(
            new HealthResponse(report.Status.ToString(), checks), context.RequestAborted);
    }

    private static bool WantsJson(HttpRequest request) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted)
        && accepted.Any(type => type.MediaType.Equals(Json, StringComparison.OrdinalIgnoreCase));
}

/// <summary>Whether the service can answer requests.</summary>
/// <param name="Status"><c>Healthy</c> or <c>Unhealthy</c>.</param>
/// <param name="Checks">What was looked at, by name.</param>
internal sealed record HealthResponse(string Status, IReadOnlyDictionary<string, HealthCheckResponse> Checks);

/// <summary>One thing that was looked at.</summary>
/// <param name="Status"><c>Healthy</c> or <c>Unhealthy</c>.</param>
/// <param name="Description">Why, in a sentence.</param>
/// <param name="Data">Details: what the models run on and why.</param>
internal sealed record HealthCheckResponse(
    string Status, string? Description, IReadOnlyDictionary<string, object> Data);
