using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Mvc;

namespace Fpn.Service.Problems;

/// <summary>
/// Writes a <see cref="Problem"/> in the <see cref="IProblemForm"/> of the protocol that the request speaks, or else as
/// <c>application/problem+json</c>: the one place where failures become HTTP.
/// </summary>
/// <param name="problem">What went wrong.</param>
internal sealed partial class ProblemResult(Problem problem) : IResult
{
    /// <inheritdoc/>
    public Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = problem.Status;
        if (problem.RetryAfterSeconds is { } wait)
        {
            response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
        }

        if (problem.Status == StatusCodes.Status401Unauthorized)
        {
            response.Headers.WWWAuthenticate = "Bearer";
        }

        httpContext.Features.Set(problem);
        LogCause(problem, httpContext);
        if (httpContext.Features.Get<IProblemForm>() is { } ofRequest)
        {
            return ofRequest.WriteAsync(problem, httpContext);
        }

        foreach (var form in httpContext.RequestServices.GetServices<IProblemForm>())
        {
            if (form.Covers(httpContext))
            {
                return form.WriteAsync(problem, httpContext);
            }
        }

        // Not cancelled with the request: a client that hangs up now would turn its own problem into a defect.
        return response.WriteAsJsonAsync(
            Details(problem, httpContext),
            ProblemJsonContext.Readable.ProblemDetails,
            "application/problem+json",
            CancellationToken.None);
    }

    /// <summary>Logs the exception behind a problem, if there is one.</summary>
    public static void LogCause(Problem problem, HttpContext httpContext)
    {
        if (problem.Cause is { } cause)
        {
            var logger = httpContext.RequestServices.GetRequiredService<ILogger<ProblemResult>>();
            var request = httpContext.Request;
            LogFailure(logger, request.Method, request.Path, TraceId(httpContext), cause);
        }
    }

    /// <summary>The id by which a request is found: in the problem's body and in the log.</summary>
    public static string TraceId(HttpContext httpContext) => Activity.Current?.Id ?? httpContext.TraceIdentifier;

    /// <summary>The body for a problem.</summary>
    public static ProblemDetails Details(Problem problem, HttpContext httpContext)
    {
        var details = new ProblemDetails
        {
            Type = problem.Type,
            Title = problem.Title,
            Status = problem.Status,
            Detail = problem.Detail,
        };
        if (problem.Parameter is not null)
        {
            details.Extensions["parameter"] = problem.Parameter;
        }

        if (problem.RetryAfterSeconds is { } wait)
        {
            details.Extensions["retryAfterSeconds"] = wait;
        }

        details.Extensions["traceId"] = TraceId(httpContext);
        return details;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed (traceId {TraceId})")]
    private static partial void LogFailure(
        ILogger logger, string method, PathString path, string traceId, Exception exception);
}
