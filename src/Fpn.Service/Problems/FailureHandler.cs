using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;

namespace Fpn.Service.Problems;

/// <summary>Turns exceptions into problems: those of the server about the body, those of models, and defects.</summary>
internal sealed class FailureHandler : IExceptionHandler
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

        await new ProblemResult(FailureProblems.FromException(exception)).ExecuteAsync(httpContext);
        return true;
    }
}
