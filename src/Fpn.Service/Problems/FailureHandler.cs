using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace Fpn.Service.Problems;

/// <summary>Turns exceptions into problems: those of the server about the body, those of models, and defects.</summary>
internal sealed partial class FailureHandler(ILogger<FailureHandler> logger) : IExceptionHandler
{
    /// <inheritdoc/>
    public async ValueTask<bool> TryHandleAsync(
        HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (httpContext.RequestAborted.IsCancellationRequested
            || exception is ConnectionResetException or ConnectionAbortedException)
        {
            // A connection that breaks within the body fails the read before the request counts as aborted; without
            // this the server would try to read the rest, and log an error of its own.
            httpContext.Abort();

            // The client is gone; proxies log status 499 for that.
            httpContext.Response.StatusCode = StatusCodes.Status499ClientClosedRequest;
            return true;
        }

        var problem = FailureProblems.Of(exception);
        if (problem.Status >= StatusCodes.Status500InternalServerError)
        {
            LogFailure(logger, httpContext.Request.Method, httpContext.Request.Path, ProblemResult.TraceId(httpContext), exception);
        }

        await new ProblemResult(problem).ExecuteAsync(httpContext);
        return true;
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} failed (traceId {TraceId})")]
    private static partial void LogFailure(ILogger logger, string method, PathString path, string traceId, Exception exception);
}
