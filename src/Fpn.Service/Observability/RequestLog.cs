using Fpn.Service.Api;

namespace Fpn.Service.Observability;

/// <summary>Writes one line a request: status, model, detections, the stage times; counts problems and completes the span.</summary>
/// <param name="next">The rest of the pipeline.</param>
/// <param name="logger">Where the line goes.</param>
/// <param name="metrics">Counts.</param>
/// <param name="clock">Measures the whole request.</param>
internal sealed partial class RequestLog(RequestDelegate next, ILogger<RequestLog> logger, ServiceMetrics metrics, TimeProvider clock)
{
    /// <summary>Runs the request and logs it.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var start = clock.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            RequestSpan.Complete(context);
            Log(context, Math.Round(clock.GetElapsedTime(start).TotalMilliseconds, 1));
        }
    }

    private void Log(HttpContext context, double elapsedMs)
    {
        var request = context.Request;
        var status = context.Response.StatusCode;
        if (context.Features.Get<DetectionResponse>() is { } response)
        {
            LogDetection(
                logger,
                request.Method,
                request.Path,
                status,
                elapsedMs,
                response.Model,
                response.Detections.Count,
                response.Image.Width,
                response.Image.Height,
                response.Image.Format,
                response.BatchSize,
                response.Timings.DecodeMs,
                response.Timings.PreprocessMs,
                response.Timings.QueueMs,
                response.Timings.InferenceMs,
                response.Timings.PostprocessMs);
        }
        else if (context.Features.Get<Problem>() is { } problem)
        {
            metrics.RecordProblem(problem);
            var traceId = ProblemResult.TraceId(context);
            LogProblem(logger, request.Method, request.Path, status, elapsedMs, problem.Type, problem.Detail, traceId);
        }
        else if (ProbePaths.Contain(request.Path) && status == StatusCodes.Status200OK)
        {
            LogProbe(logger, request.Method, request.Path, status, elapsedMs);
        }
        else
        {
            LogRequest(logger, request.Method, request.Path, status, elapsedMs);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Information,
        Message = "{Method} {Path} {Status} in {ElapsedMs} ms: {Model} found {Detections} in {Width}x{Height} {Format}, batch {BatchSize}, "
            + "decode {DecodeMs}, preprocess {PreprocessMs}, queue {QueueMs}, inference {InferenceMs}, postprocess {PostprocessMs} ms")]
    private static partial void LogDetection(
        ILogger logger,
        string method,
        PathString path,
        int status,
        double elapsedMs,
        string model,
        int detections,
        int width,
        int height,
        string format,
        int batchSize,
        double decodeMs,
        double preprocessMs,
        double queueMs,
        double inferenceMs,
        double postprocessMs);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} in {ElapsedMs} ms: {Problem}: {Detail} (traceId {TraceId})")]
    private static partial void LogProblem(ILogger logger, string method, PathString path, int status, double elapsedMs, string problem, string detail, string traceId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Method} {Path} {Status} in {ElapsedMs} ms")]
    private static partial void LogRequest(ILogger logger, string method, PathString path, int status, double elapsedMs);

    /// <summary>Probes come every few seconds for ever: they are not worth a line unless they fail.</summary>
    [LoggerMessage(Level = LogLevel.Debug, Message = "{Method} {Path} {Status} in {ElapsedMs} ms")]
    private static partial void LogProbe(ILogger logger, string method, PathString path, int status, double elapsedMs);
}
