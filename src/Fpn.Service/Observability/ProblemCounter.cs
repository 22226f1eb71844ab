using Fpn.Service.Answers;
using Fpn.Service.Problems;

namespace Fpn.Service.Observability;

/// <summary>Counts the problems that are answered, logged or not.</summary>
internal sealed class ProblemCounter(RequestDelegate next, ServiceMetrics metrics)
{
    /// <summary>Serves the request and counts its problems.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
        }
        finally
        {
            if (context.Features.Get<Problem>() is { } problem)
            {
                metrics.RecordProblem(problem);
            }
            else if (context.Features.Get<DetectionAnswer>() is null
                && context.Features.Get<BatchSummary>() is { } batch)
            {
                foreach (var failed in batch.Problems)
                {
                    metrics.RecordProblem(failed);
                }
            }
        }
    }
}
