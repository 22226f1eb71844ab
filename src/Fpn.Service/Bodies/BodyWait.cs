using Fpn.Service.Lifetime;
using Fpn.Service.Problems;
using Fpn.Serving.Requests;

namespace Fpn.Service.Bodies;

/// <summary>Waits for bodies, but no longer than the service runs.</summary>
internal sealed class BodyWait(Drain drain)
{
    /// <summary>Reads a body.</summary>
    /// <param name="context">The request.</param>
    /// <param name="read">Reads it; ends when its token is cancelled.</param>
    /// <returns>The body, or the problem that the service is shutting down.</returns>
    /// <exception cref="OperationCanceledException">The client went away.</exception>
    public async Task<Outcome<T>> ForAsync<T>(HttpContext context, Func<CancellationToken, Task<Outcome<T>>> read)
        where T : class
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, drain.LastCall);
        try
        {
            return await read(either.Token);
        }
        catch (OperationCanceledException)
            when (drain.LastCall.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return Unarrived();
        }
    }

    /// <summary>The problem of a body that had not arrived when the service ended.</summary>
    public static Problem Unarrived() =>
        FailureProblems.ProblemFor(
            FailureKind.ShuttingDown, "The service is shutting down, and the body has not arrived.");
}
