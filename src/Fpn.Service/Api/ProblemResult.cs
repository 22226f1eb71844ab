using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Mvc;

namespace Fpn.Service.Api;

/// <summary>Writes a <see cref="Problem"/> as <c>application/problem+json</c>: the one place where failures become HTTP.</summary>
/// <param name="problem">What went wrong.</param>
internal sealed class ProblemResult(Problem problem) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = problem.Status;
        if (problem.RetryAfter is { } wait)
        {
            response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        httpContext.Features.Set(problem);

        // Without a token: writing to a client that left then does nothing, where it would throw.
        return response.WriteAsJsonAsync(Details(problem, httpContext), ApiJsonContext.Default.ProblemDetails, "application/problem+json", CancellationToken.None);
    }

    /// <summary>The body for a problem.</summary>
    public static ProblemDetails Details(Problem problem, HttpContext httpContext)
    {
        var details = new ProblemDetails { Type = problem.Type, Title = problem.Title, Status = problem.Status, Detail = problem.Detail };
        if (problem.Parameter is not null)
        {
            details.Extensions["parameter"] = problem.Parameter;
        }

        details.Extensions["traceId"] = Activity.Current?.Id ?? httpContext.TraceIdentifier;
        return details;
    }
}
